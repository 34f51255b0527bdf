// A video that is made, then goes on in a clip of its own, and becomes finer. The client has no method for the last.
import { client } from "./openai.mjs";
import { order, report } from "./watched.mjs";

const { prompt, resolution, seconds, ...rest } = order;

async function finished(video) {
  while (video.status === "queued" || video.status === "in_progress") {
    await new Promise((resolve) => setTimeout(resolve, 50));
    video = await client.videos.retrieve(video.id);
  }
  const content = await client.videos.downloadContent(video.id);
  return { video, file: Buffer.from(await content.arrayBuffer()).toString("base64") };
}

const made = await finished(await client.videos.create({ prompt, seconds, ...rest }));
const { id } = made.video;
const extended = await finished(await client.videos.extend({ prompt: `${prompt} goes on`, seconds, video: { id } }));
const finer = await finished(await client.post(`/videos/${id}/upscale`, { body: { resolution } }));
await report({ made, extended, finer });
