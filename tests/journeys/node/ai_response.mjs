// The AI SDK's own image tool: whole, or as a stream.
import { generateText, streamText } from "ai";
import { providers } from "./providers.mjs";
import { order, report } from "./watched.mjs";

const { model, prompt, stream, tool } = order;
const settings = {
  model: providers.openai.responses(model),
  prompt,
  maxRetries: 0,
  ...(tool ? { tools: { image_generation: providers.openai.tools.imageGeneration(tool) } } : {}),
};
if (stream) {
  const results = [];
  let text = "";
  let reasoning = "";
  for await (const part of streamText(settings).fullStream) {
    if (part.type === "tool-result" && !part.preliminary) results.push(part.output.result);
    if (part.type === "text-delta") text += part.text;
    if (part.type === "reasoning-delta") reasoning += part.text;
    if (part.type === "error") throw part.error;
  }
  await report({ results, text, reasoning });
} else {
  const made = await generateText(settings);
  const results = made.staticToolResults.map((each) => each.output.result);
  await report({ results, text: made.text, reasoning: made.reasoningText ?? "" });
}
