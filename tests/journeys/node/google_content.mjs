import { client, seen } from "./google.mjs";
import { order, report } from "./watched.mjs";

const { model, contents, config } = order;
const told = (error) => ({ error: { name: error.name, status: error.status ?? null, message: error.message } });
const answer = await client.models.generateContent({ model, contents, config }).then(seen, told);
await report(answer);
