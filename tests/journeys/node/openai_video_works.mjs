// A video that is made, then changed and extended by its id, or another one as a file. `file` is its path.
import { createReadStream } from "node:fs";
import { client } from "./openai.mjs";
import { order, report } from "./watched.mjs";

const { file, prompt, ...rest } = order;

async function finished(video) {
  while (video.status === "queued" || video.status === "in_progress") {
    await new Promise((resolve) => setTimeout(resolve, 50));
    video = await client.videos.retrieve(video.id);
  }
  return video;
}

const made = await finished(await client.videos.create({ prompt, ...rest }));
const content = await client.videos.downloadContent(made.id);
const size = (await content.arrayBuffer()).byteLength;
const given = () => (file ? createReadStream(file) : { id: made.id });
const edited = await finished(await client.videos.edit({ prompt: `${prompt} at night`, video: given() }));
const extended = await finished(
  await client.videos.extend({ prompt: `${prompt} goes on`, seconds: "4", video: given() }),
);
await report({ made, size, edited, extended });
