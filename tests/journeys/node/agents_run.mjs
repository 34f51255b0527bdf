// OpenAI's Agents SDK: runs one after another, each with what it needs of the one before, by its items or by its id.
import { Agent, imageGenerationTool, OpenAIResponsesModel, Runner, user } from "@openai/agents";
import { client } from "./openai.mjs";
import { order, report } from "./watched.mjs";

const { model, prompts, tool, stream, by } = order;
const artist = new Agent({
  name: "artist",
  model: new OpenAIResponsesModel(client, model),
  tools: tool ? [imageGenerationTool()] : [],
});
// The SDK would send its traces to OpenAI.
const runner = new Runner({ tracingDisabled: true });

// A prompt of null adds no turn.
function inputAfter(last, prompt) {
  const turn = prompt === null ? [] : [user(prompt)];
  return last && by === "items" ? [...last.history, ...turn] : turn;
}

async function run(last, prompt) {
  const previousResponseId = last && by === "id" ? last.lastResponseId : undefined;
  const result = await runner.run(artist, inputAfter(last, prompt), { stream, previousResponseId });
  const names = [];
  if (stream) {
    for await (const event of result) if (event.type === "run_item_stream_event") names.push(event.name);
    await result.completed;
  }
  return { result, names };
}

const runs = [];
let last = null;
for (const prompt of prompts) {
  const { result, names } = await run(last, prompt);
  runs.push({
    text: result.finalOutput,
    items: result.newItems.map((item) => item.type),
    pictures: result.newItems.filter((item) => item.rawItem.type === "hosted_tool_call").map((item) => item.rawItem.output),
    answers: result.rawResponses.length,
    names,
  });
  last = result;
}
await report(runs);
