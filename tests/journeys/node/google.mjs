// Google's own client, as LibreChat makes it: from a key, with the address in the environment.
import { GoogleGenAI } from "@google/genai";
import { apiKey, baseURL, order } from "./watched.mjs";

process.env.GOOGLE_GEMINI_BASE_URL = new URL(baseURL).origin;
export const client = new GoogleGenAI({ apiKey: order.key ?? apiKey, apiVersion: order.version });

// What a program sees of an answer.
export function seen(answer) {
  const [candidate] = answer.candidates ?? [];
  return {
    pictures: (candidate?.content?.parts ?? []).flatMap((part) => (part.inlineData ? [part.inlineData.data] : [])),
    signed: (candidate?.content?.parts ?? []).some((part) => part.thoughtSignature),
    reason: candidate?.finishReason ?? null,
    given: (answer.usageMetadata?.promptTokensDetails ?? []).map((detail) => detail.modality),
  };
}
