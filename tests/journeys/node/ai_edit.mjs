// `files` are paths.
import { readFile } from "node:fs/promises";
import { generateImage } from "ai";
import { providers } from "./providers.mjs";
import { order, report } from "./watched.mjs";

const { provider, model, text, files, ...rest } = order;
const images = await Promise.all(files.map((file) => readFile(file)));
const made = await generateImage({
  model: providers[provider].imageModel(model),
  prompt: { text, images },
  maxRetries: 0,
  ...rest,
});
await report({
  warnings: made.warnings,
  images: made.images.map((image) => ({ type: image.mediaType, base64: image.base64 })),
});
