// The official client for Azure: a picture, an edit, a streamed chat, a response, and the models.
import { createReadStream } from "node:fs";
import { AzureOpenAI } from "openai";
import { apiKey, baseURL, order, report, watchedFetch } from "./watched.mjs";

const endpoint = new URL(baseURL).origin;
const settings = { endpoint, apiKey, apiVersion: "2025-04-01-preview", maxRetries: 0, fetch: watchedFetch };
const { model, prompt, file } = order;
// With a deployment of its own, or one for each request.
const client = new AzureOpenAI(order.deployment ? { ...settings, deployment: order.deployment } : settings);

const picture = await client.images.generate({ model, prompt });
const edit = await client.images.edit({ model, prompt, image: createReadStream(file) });
let chat = "";
const messages = [{ role: "user", content: prompt }];
for await (const chunk of await client.chat.completions.create({ model, messages, stream: true })) {
  chat += chunk.choices[0]?.delta?.content ?? "";
}
const response = await client.responses.create({
  model: order.deployment ?? model,
  input: prompt,
  tools: [{ type: "image_generation" }],
});
const models = [];
for await (const each of client.models.list()) models.push(each.id);
await report({
  pictures: [picture.data[0].b64_json, edit.data[0].b64_json, response.output[0].result],
  chat,
  models,
});
