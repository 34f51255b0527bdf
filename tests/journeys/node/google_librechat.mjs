// LibreChat's Gemini tool: its client from a key alone, its options, and what it reads of an answer. It makes a picture and changes it.
import { client } from "./google.mjs";
import { order, report } from "./watched.mjs";

const { model, prompt, aspectRatio, imageSize } = order;
const frame = { ...(aspectRatio && { aspectRatio }), ...(imageSize && { imageSize }) };

async function draw(contents) {
  const config = { responseModalities: ["TEXT", "IMAGE"], abortSignal: new AbortController().signal };
  if (aspectRatio || imageSize) config.imageConfig = frame;
  try {
    const answer = await client.models.generateContent({ model, contents, config });
    const [candidate] = answer.candidates ?? [];
    return {
      ended: candidate?.finishReason ?? "NO_CANDIDATES",
      picture: candidate?.content?.parts?.find((part) => part.inlineData)?.inlineData?.data ?? null,
      tokens: [answer.usageMetadata?.promptTokenCount ?? 0, answer.usageMetadata?.candidatesTokenCount ?? 0],
      failed: null,
    };
  } catch (error) {
    return { ended: "", picture: null, tokens: [0, 0], failed: error.message };
  }
}

const made = await draw([{ text: prompt }]);
const given = { inlineData: { mimeType: "image/png", data: made.picture } };
await report([made, ...(made.picture ? [await draw([{ text: `${prompt}, blue` }, given])] : [])]);
