// The two ways in which programs of the AI SDK reach a server like ours.
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { apiKey, baseURL, watchedFetch } from "./watched.mjs";

const settings = { name: "adapter", baseURL, apiKey, fetch: watchedFetch };
export const providers = { openai: createOpenAI(settings), compatible: createOpenAICompatible(settings) };
