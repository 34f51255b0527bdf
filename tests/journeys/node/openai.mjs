// The official client, without retries of its own.
import OpenAI from "openai";
import { apiKey, baseURL, watchedFetch } from "./watched.mjs";

export const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, fetch: watchedFetch });

// What a program can know of an error.
export function told(error) {
  return { class: error.constructor.name, status: error.status, code: error.code, param: error.param };
}
