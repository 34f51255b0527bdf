import { client } from "./openai.mjs";
import { order, report } from "./watched.mjs";

const deltas = [];
const stream = await client.chat.completions.create({ ...order, stream: true });
for await (const chunk of stream) {
  deltas.push({ ...chunk.choices[0].delta, finish_reason: chunk.choices[0].finish_reason });
}
await report(deltas);
