import { client, told } from "./openai.mjs";
import { order, report } from "./watched.mjs";

await report(await client.images.generate(order).catch((error) => ({ error: told(error) })));
