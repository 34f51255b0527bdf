// The calls of the API that the studio makes. Each one that fails throws an ApiError.
import { apiUrl } from "./address.js";
import { readKey } from "./key.js";

// Times after which a request is sent again, in milliseconds. It has a key, so it is never executed twice.
const PAUSES = [1000, 3000, 8000, 15000, 30000];

export class ApiError extends Error {
  // Status 0: there was no answer.
  constructor(message, status = 0, code = "", isRetryable = false) {
    super(message);
    Object.assign(this, { status, code, isRetryable });
  }
}

export const listModels = () => call("/models");
export const listVideos = (after) => call(`/videos?limit=20${after ? `&after=${encodeURIComponent(after)}` : ""}`);
export const findVideo = (id) => call(`/videos/${encodeURIComponent(id)}`);
export const deleteVideo = (id) => call(`/videos/${encodeURIComponent(id)}`, { method: "DELETE" });
export const readUsage = (path, key) => call(`/organization/${path}`, { key });

// Sends a work until it is answered or refused, with the key of the beginning: another one may be given meanwhile.
export async function send(work) {
  const key = readKey();
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call(work.route, { method: "POST", body: bodyOf(work), headers: { "idempotency-key": work.id }, key });
    } catch (error) {
      if (!(error instanceof ApiError && error.isRetryable) || attempt === PAUSES.length) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSES[attempt]));
    }
  }
}

function bodyOf({ fields, inputs, kind }) {
  if (inputs.length === 0) return JSON.stringify(fields);
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    for (const each of [value].flat()) form.append(Array.isArray(value) ? `${name}[]` : name, each);
  }
  for (const { blob, name } of inputs) form.append(kind === "video" ? "input_reference[]" : "image[]", blob, name);
  return form;
}

async function call(path, { method = "GET", body, headers = {}, key = readKey() } = {}) {
  const sent = { ...headers, ...(key && { authorization: `Bearer ${key}` }) };
  if (typeof body === "string") sent["content-type"] = "application/json";
  let answer;
  try {
    answer = await fetch(apiUrl(path), { method, body, headers: sent, cache: "no-store" });
    const read = await answer.text();
    if (answer.ok) return JSON.parse(read);
    throw refusal(answer, read);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError("The server cannot be reached.", 0, "unreachable", true);
  }
}

function refusal(answer, read) {
  const error = parsed(read)?.error ?? {};
  const word = answer.headers.get("x-should-retry");
  const isRetryable = word ? word === "true" : answer.status === 409 || answer.status >= 500;
  return new ApiError(error.message ?? `The server answered ${answer.status}.`, answer.status, error.code ?? "", isRetryable);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
