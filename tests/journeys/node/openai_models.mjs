import { client } from "./openai.mjs";
import { report } from "./watched.mjs";

const names = [];
for await (const model of client.models.list()) names.push(model.id);
await report(names);
