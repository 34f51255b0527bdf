import { client } from "./openai.mjs";
import { order, report } from "./watched.mjs";

await report((await client.chat.completions.create(order)).choices[0].message);
