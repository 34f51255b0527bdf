// A work is a request for pictures or a video, as it is sent, stored and shown as code. No page, no network.
import { modeOf, rolesOf } from "./models.js";

// A name of a request that no other request has. `crypto.randomUUID` is missing on pages without TLS.
export function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// `chosen` is what the form says: kind, model, prompt, shape, resolution, seconds, count, thinking, seed, use, inputs.
export function newWork(chosen, scope) {
  const { kind, inputs } = chosen;
  const work = { id: newId(), scope, kind, startedAt: Date.now(), inputs };
  if (chosen.source) return { ...work, ...workOnVideo(chosen) };
  const fields = kind === "video" ? videoFields(chosen) : pictureFields(chosen);
  const route = kind === "video" ? "/videos" : `/images/${inputs.length ? "edits" : "generations"}`;
  return { ...work, route, fields, use: chosen.use };
}

export function upscaleWork(video, resolution, scope) {
  const route = `/videos/${video.id}/upscale`;
  return { id: newId(), scope, kind: "video", startedAt: Date.now(), inputs: [], route, fields: { resolution }, title: video.prompt };
}

function workOnVideo({ prompt, source, use, seconds }) {
  const fields = known({ prompt, video: { id: source.id }, seconds: use === "extend" && seconds });
  return { route: use === "extend" ? "/videos/extensions" : "/videos/edits", fields, use, source };
}

function pictureFields({ model, prompt, shape, resolution, count, thinking, seed }) {
  return known({
    model: model.id,
    prompt,
    n: count,
    aspect_ratio: shape,
    image_size: model.options.resolutions.length > 1 && resolution,
    thinking_level: thinking,
    seed,
    response_format: "b64_json",
  });
}

function videoFields({ model, prompt, shape, resolution, seconds, seed, use, inputs }) {
  const lengths = modeOf(model, use)?.seconds ?? [];
  return known({
    model: model.id,
    prompt,
    aspect_ratio: shape,
    resolution: model.options.resolutions.length > 1 && resolution,
    seconds: lengths.length > 1 && String(seconds),
    seed,
    roles: inputs.length > 0 && rolesOf(use, inputs.length),
  });
}

const known = (fields) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== "" && value !== false));
