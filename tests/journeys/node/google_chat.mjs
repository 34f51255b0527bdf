import { client, seen } from "./google.mjs";
import { order, report } from "./watched.mjs";

const chat = client.chats.create({ model: order.model });
const answers = [];
for (const message of order.messages) answers.push(seen(await chat.sendMessage({ message })));
await report(answers);
