import { client, told } from "./openai.mjs";
import { report } from "./watched.mjs";

await report(await client.get("/_stainless_unknown_path").catch((error) => ({ error: told(error) })));
