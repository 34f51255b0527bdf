import { createReadStream } from "node:fs";
import { client } from "./openai.mjs";
import { order, report } from "./watched.mjs";

const { file, ...rest } = order;
await report(await client.images.createVariation({ image: createReadStream(file), ...rest }));
