// The AI SDK's Google provider: a picture by its image interface, and one beside the text of a chat.
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { generateImage, generateText } from "ai";
import { apiKey, baseURL, order, report } from "./watched.mjs";

const google = createGoogleGenerativeAI({ baseURL: `${new URL(baseURL).origin}/v1beta`, apiKey });
const { model, prompt, aspectRatio } = order;
const made = await generateImage({ model: google.image(model), prompt, aspectRatio, maxRetries: 0 });
const chat = await generateText({ model: google(model), prompt, maxRetries: 0 });
await report({ image: made.image.base64, files: chat.files.map((file) => file.base64) });
