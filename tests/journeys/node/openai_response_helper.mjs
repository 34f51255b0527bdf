// The streaming helper: the events that it passed on, and the response that it put together.
import { client } from "./openai.mjs";
import { order, report } from "./watched.mjs";

const events = [];
const stream = client.responses.stream(order);
for await (const event of stream) events.push(event.type);
const final = await stream.finalResponse();
await report({ events, response: { ...final, text: final.output_text } });
