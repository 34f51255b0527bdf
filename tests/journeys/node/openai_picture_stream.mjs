import { client } from "./openai.mjs";
import { order, report } from "./watched.mjs";

const events = [];
for await (const event of await client.images.generate({ ...order, stream: true })) events.push(event);
await report(events);
