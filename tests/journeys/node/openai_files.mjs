// `file` is a path. It goes up as a stream, is looked at and listed, worked from, and deleted.
import { createReadStream } from "node:fs";
import { client } from "./openai.mjs";
import { order, report } from "./watched.mjs";

const file = await client.files.create({ file: createReadStream(order.file), purpose: "vision" });
const found = await client.files.retrieve(file.id);
const listed = [];
for await (const each of client.files.list({ limit: 1 })) listed.push(each.id);
const content = Buffer.from(await (await client.files.content(file.id)).arrayBuffer()).toString("base64");
const deleted = await client.files.delete(file.id);
await report({ file: found, listed, content, deleted: deleted.deleted });
