import { streamText } from "ai";
import { providers } from "./providers.mjs";
import { order, report } from "./watched.mjs";

const { model, ...rest } = order;
const parts = [];
const stream = streamText({ model: providers.compatible.chatModel(model), maxRetries: 0, ...rest });
for await (const part of stream.fullStream) parts.push({ type: part.type, text: part.text, finish: part.finishReason });
await report(parts);
