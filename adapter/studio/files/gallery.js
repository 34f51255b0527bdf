// The gallery: pictures of this browser, and videos of the server, the newest first.
import { mediaUrl } from "./address.js";
import { arrange, byId, h, icon } from "./dom.js";
import { spent } from "./models.js";

const elements = new Map();

const DATE = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

// `pictures` are records of the store, `videos` objects of the API. `actions` has what the buttons do, `offers` which further
// ones a video has.
export function showGallery({ pictures, videos, filter, actions, offers }) {
  const items = [
    ...pictures.map((picture) => ({ kind: "image", id: picture.id, at: picture.createdAt, picture })),
    ...videos.map((video) => ({ kind: "video", id: video.id, at: video.created_at * 1000 + 999, video })),
  ].sort((one, two) => two.at - one.at || (one.id < two.id ? 1 : -1));
  const ids = new Set(items.map((item) => item.id));
  for (const [id, element] of elements) {
    if (ids.has(id)) continue;
    if (element.url) URL.revokeObjectURL(element.url);
    elements.delete(id);
  }
  for (const item of items) {
    if (!elements.has(item.id)) elements.set(item.id, item.kind === "image" ? pictureCard(item.picture, actions) : videoCard(item.video, actions, offers));
  }
  const shown = items.filter((item) => filter === "all" || item.kind === filter);
  arrange(byId("gallery"), shown.map((item) => elements.get(item.id)));
  byId("empty").hidden = shown.length > 0;
}

// Forgets what is shown, for another key.
export function clearGallery() {
  showGallery({ pictures: [], videos: [], filter: "all" });
}

// Moves the focus to the card at the place of one that is gone.
export function focusCard(index) {
  const cards = byId("gallery").children;
  (cards[Math.min(index, cards.length - 1)]?.querySelector("button, video") ?? byId("gallery-heading")).focus();
}

export const placeOf = (id) => [...byId("gallery").children].indexOf(elements.get(id));

function pictureCard(picture, actions) {
  const url = URL.createObjectURL(picture.blob);
  const { fields } = picture.work;
  const name = `picture-${picture.id.slice(0, 8)}-${picture.id.split("-").at(-1)}.${picture.blob.type.split("/")[1]}`;
  const image = h("img", { src: url, alt: fields.prompt, loading: "lazy", decoding: "async" });
  const open = h("button", { type: "button", class: "open", "aria-label": `Show the picture: ${fields.prompt}`, onclick: () => actions.show(fields.prompt, url) }, image);
  const card = cardOf(open, fields.prompt, [fields.model, picture.size, spent(picture.usage), DATE.format(picture.createdAt)], [
    link("Download", "download", url, name),
    button("Use as input", "input", () => actions.usePicture(picture)),
    button("Again", "again", () => actions.again(picture.work, picture.size)),
    button("Code", "code", (event) => actions.code(picture.work, event)),
    button("Delete", "trash", () => actions.deletePicture(picture)),
  ]);
  card.url = url;
  if (picture.isUnstored) card.querySelector(".facts").append(" · not stored: this browser has no room. Download it.");
  return card;
}

function videoCard(video, actions, offers) {
  if (video.status === "failed") return failedCard(video, actions);
  const url = video.url && mediaUrl(video.url);
  if (!url) return failedCard({ ...video, error: { message: "Its file is not stored any more." } }, actions);
  const poster = video.thumbnail_url && mediaUrl(video.thumbnail_url);
  const player = h("video", { src: url, poster, controls: true, playsinline: true, loop: true, preload: poster ? "none" : "metadata", "aria-label": video.prompt });
  const upscales = offers.upscales(video).map(({ resolution, cost }) => {
    const label = `Make it ${resolution} (${cost || "price unknown"})`;
    return h("button", { type: "button", class: "word", "aria-label": label, title: label, onclick: () => actions.upscale(video, resolution) }, resolution);
  });
  const works = offers.works(video).map((use) => button(use === "edit" ? "Edit" : "Extend", use, () => actions.workOn(video, use)));
  return cardOf(player, video.prompt, [video.model, video.size, `${video.seconds} s`, spent(video.usage), DATE.format(video.created_at * 1000)], [
    link("Download", "download", `${url}?download=1`, ""),
    button("Use this frame as input", "input", () => actions.useFrame(player)),
    button("Again", "again", () => actions.againVideo(video)),
    button("Code", "code", (event) => actions.codeOfVideo(video, event)),
    ...works,
    ...upscales,
    button("Delete", "trash", () => actions.deleteVideo(video)),
  ]);
}

function failedCard(video, actions) {
  const why = h("div", { class: "why" }, h("strong", {}, "No video"), h("p", {}, video.error?.message ?? "It failed."));
  return cardOf(why, video.prompt, [video.model, DATE.format(video.created_at * 1000)], [
    button("Again", "again", () => actions.againVideo(video)),
    button("Code", "code", (event) => actions.codeOfVideo(video, event)),
    button("Delete", "trash", () => actions.deleteVideo(video)),
  ]);
}

function cardOf(media, prompt, facts, actions) {
  const text = h("div", { class: "text" }, h("p", { class: "prompt", dir: "auto" }, prompt), h("p", { class: "hint facts" }, facts.filter(Boolean).join(" · ")));
  return h("li", { class: "card" }, h("div", { class: "media" }, media), text, h("div", { class: "actions" }, ...actions));
}

function button(label, name, onclick) {
  return h("button", { type: "button", class: "round", "aria-label": label, title: label, onclick }, icon(name));
}

function link(label, name, href, download) {
  return h("a", { class: "round", href, download, "aria-label": label, title: label }, icon(name));
}
