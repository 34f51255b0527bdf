import { client, told } from "./openai.mjs";
import { order, report } from "./watched.mjs";

try {
  await report(await client.videos.create(order));
} catch (error) {
  await report({ error: told(error) });
}
