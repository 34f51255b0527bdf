import { client, seen } from "./google.mjs";
import { order, report } from "./watched.mjs";

const { model, contents, config } = order;
const answers = [];
for await (const chunk of await client.models.generateContentStream({ model, contents, config })) answers.push(seen(chunk));
await report(answers);
