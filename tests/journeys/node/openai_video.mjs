// A video from its making to its end. `files` are paths. Node has no helper that waits, so this waits.
import { createReadStream } from "node:fs";
import { client } from "./openai.mjs";
import { order, report } from "./watched.mjs";

const { files = [], ...rest } = order;
const pictures = files.map((file) => createReadStream(file));
const given = pictures.length === 0 ? {} : { input_reference: pictures.length === 1 ? pictures[0] : pictures };
const made = await client.videos.create({ ...rest, ...given });
let video = made;
while (video.status === "queued" || video.status === "in_progress") {
  await new Promise((resolve) => setTimeout(resolve, 50));
  video = await client.videos.retrieve(video.id);
}
const sizes = {};
for (const variant of ["video", "thumbnail", "spritesheet"]) {
  const content = await client.videos.downloadContent(video.id, { variant });
  sizes[content.headers.get("content-type")] = (await content.arrayBuffer()).byteLength;
}
const remix = await client.videos.remix(video.id, { prompt: `${rest.prompt}!` });
const listed = [];
for await (const each of client.videos.list({ limit: 1, after: remix.id })) {
  listed.push(each.id);
  if (each.id === video.id) break;
}
const deleted = await client.videos.delete(video.id);
await report({ made, video, sizes, remix, listed, deleted });
