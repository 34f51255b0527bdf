import { generateText } from "ai";
import { providers } from "./providers.mjs";
import { order, report } from "./watched.mjs";

const { model, ...rest } = order;
const made = await generateText({ model: providers.compatible.chatModel(model), maxRetries: 0, ...rest });
await report({ text: made.text, reasoning: made.reasoningText, finish: made.finishReason });
