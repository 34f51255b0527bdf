import { client } from "./google.mjs";
import { order, report } from "./watched.mjs";

const names = [];
for await (const model of await client.models.list({ config: { pageSize: 2 } })) names.push(model.name);
const { name, supportedActions } = await client.models.get({ model: order.model });
await report({ names, name, actions: supportedActions });
