// What is being made: a bar for each.
import { arrange, byId, h } from "./dom.js";

const elements = new Map();

// Shows works that wait for their answer, and videos that are being made.
export function showRunning(works, videos, actions) {
  const shown = [...works.map((work) => workItem(work, actions)), ...videos.map((video) => videoItem(video))];
  const ids = new Set([...works, ...videos].map((each) => each.id));
  for (const id of elements.keys()) if (!ids.has(id)) elements.delete(id);
  byId("running-section").hidden = shown.length === 0;
  arrange(byId("running"), shown);
}

function workItem(work, { again, dismiss }) {
  const item = itemOf(work.id, work.title ?? work.fields.prompt);
  item.classList.toggle("failed", Boolean(work.error));
  item.bar.hidden = Boolean(work.error);
  item.bar.removeAttribute("value");
  item.since = work.startedAt;
  item.say(work.error ?? (work.kind === "video" ? "Sending the request" : `Making ${work.fields.n > 1 ? `${work.fields.n} pictures` : "the picture"}`));
  item.actions.replaceChildren(
    ...(work.error
      ? [
          h("button", { type: "button", class: "quiet small", onclick: () => again(work) }, work.isUnanswered ? "Ask again" : "Change it"),
          h("button", { type: "button", class: "quiet small", onclick: () => dismiss(work.id) }, "Dismiss"),
        ]
      : []),
  );
  return item;
}

function videoItem(video) {
  const item = itemOf(video.id, video.prompt);
  item.bar.value = video.progress;
  item.since = video.created_at * 1000;
  item.say(video.status === "queued" ? "Waiting" : `Making the video: ${video.progress} %`);
  return item;
}

function itemOf(id, prompt) {
  const known = elements.get(id);
  if (known) return known;
  const bar = h("progress", { max: 100, "aria-label": prompt });
  const text = h("span", { class: "hint" });
  const time = h("span", { class: "hint time", "aria-hidden": true });
  const actions = h("div", { class: "row" });
  const item = h("li", { class: "work" }, h("p", { class: "prompt", dir: "auto" }, prompt), bar, h("div", { class: "line" }, text, time), actions);
  // A text that is the same is not written again: a screen reader would read it again.
  const say = (words) => text.textContent === words || (text.textContent = words);
  Object.assign(item, { bar, time, actions, say });
  elements.set(id, item);
  return item;
}

// The seconds since each began.
setInterval(() => {
  for (const item of elements.values()) {
    const seconds = Math.max(0, Math.round((Date.now() - item.since) / 1000));
    item.time.textContent = item.classList.contains("failed") ? "" : seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  }
}, 1000);
