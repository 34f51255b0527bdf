import { generateImage } from "ai";
import { providers } from "./providers.mjs";
import { order, report } from "./watched.mjs";

const { provider, model, ...rest } = order;
const made = await generateImage({ model: providers[provider].imageModel(model), maxRetries: 0, ...rest }).catch(
  (error) => ({ error: { name: error.name, status: error.statusCode, message: error.message } }),
);
await report({
  error: made.error,
  warnings: made.warnings,
  images: made.images?.map((image) => ({ type: image.mediaType, base64: image.base64 })),
});
