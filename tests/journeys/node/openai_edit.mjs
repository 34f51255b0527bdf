// `files` are paths. One goes up as a stream (chunked, without a type), several as buffers.
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { toFile } from "openai";
import { client } from "./openai.mjs";
import { order, report } from "./watched.mjs";

const { files, ...rest } = order;
const image =
  files.length === 1
    ? createReadStream(files[0])
    : await Promise.all(files.map(async (file) => toFile(await readFile(file), "picture")));
const made = await client.images.edit({ image, ...rest });
if (rest.stream) {
  const events = [];
  for await (const event of made) events.push(event);
  await report(events);
} else {
  await report(made);
}
