// LibreChat's tool sends a list of parts, words and pictures, which the client makes one turn of.
import { client, seen } from "./google.mjs";
import { order, report } from "./watched.mjs";

const { model, prompt } = order;
const config = { responseModalities: ["TEXT", "IMAGE"] };
const drawn = seen(await client.models.generateContent({ model, contents: [{ text: prompt }], config }));
const contents = [{ text: `${prompt}, blue` }, { inlineData: { mimeType: "image/png", data: drawn.pictures[0] } }];
await report(seen(await client.models.generateContent({ model, contents, config })));
