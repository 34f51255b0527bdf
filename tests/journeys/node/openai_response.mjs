// Make it, look it up, delete it.
import { client } from "./openai.mjs";
import { order, report } from "./watched.mjs";

const made = await client.responses.create(order);
const found = await client.responses.retrieve(made.id);
await client.responses.delete(made.id);
await report([made, found].map((each) => ({ ...each, text: each.output_text })));
