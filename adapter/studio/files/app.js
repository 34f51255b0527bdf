// Puts the studio together.
import { ApiError, listModels } from "./api.js";
import { closeAdmin } from "./admin.js";
import { Composer } from "./composer.js";
import { confirmed, showCode, showPicture } from "./dialogs.js";
import { announce, byId, checked, showError } from "./dom.js";
import { clearGallery, focusCard, placeOf, showGallery } from "./gallery.js";
import { forgetKey, isRemembered, keepKey, readKey, scopeOf } from "./key.js";
import { modeOf, ratioOf, upscaleCost } from "./models.js";
import { keepPictures, Works } from "./pictures.js";
import { showRunning } from "./running.js";
import { all, get, put, remove } from "./store.js";
import { newWork, upscaleWork } from "./works.js";
import { Videos } from "./videos.js";

let scope = "";
let models = [];
let pictures = [];
// The gallery of a key that is refused now. Its pictures may go along to the next key: an operator gives new ones.
let former = "";

const composer = new Composer(make);
const works = new Works({ changed: show, finished, failed: workFailed });
const videos = new Videos({ changed: show, ended: videoEnded, failed: videosFailed });

function show() {
  const waiting = [...works.works.values()].sort((one, two) => two.startedAt - one.startedAt);
  showRunning(waiting, videos.running, { again: askAgain, dismiss: (id) => works.dismiss(id) });
  showGallery({ pictures, videos: videos.finished, filter: checked("filter"), actions, offers });
  byId("older").hidden = !videos.hasMore || checked("filter") === "image";
}

function make(chosen) {
  announce(chosen.kind === "video" ? "The video was ordered." : "The picture is being made.");
  works.start(newWork(chosen, scope));
  // On a phone what is in progress stands below the form.
  if (byId("running-section").getBoundingClientRect().top > innerHeight) byId("running-heading").scrollIntoView();
}

async function finished(work, answer) {
  if (work.kind === "video") {
    await put("requests", { id: answer.id, scope: work.scope, work }).catch(() => null);
    if (work.scope === scope) videos.add(answer);
    return;
  }
  const made = await keepPictures(work, answer);
  if (work.scope !== scope) return;
  const known = new Set(made.map((picture) => picture.id));
  pictures = [...made, ...pictures.filter((picture) => !known.has(picture.id))];
  announce(made.length === 1 ? "The picture is ready." : `${made.length} pictures are ready.`);
  show();
}

function workFailed(work, error) {
  announce(`It failed. ${error.message}`);
  if (error.status !== 401) return;
  former = work.scope;
  openKeyPanel(error.message);
}

function videosFailed(error) {
  if (error?.status === 401) former = scope;
  showError(byId("gallery-error"), error?.message ?? "");
}

function videoEnded(video) {
  announce(video.status === "completed" ? "The video is ready." : `The video failed. ${video.error?.message ?? ""}`);
}

// After no answer the same request goes on. After a refusal the form has it again.
async function askAgain(work) {
  if (work.isUnanswered) {
    await works.start({ ...work, error: undefined, isUnanswered: undefined });
    return;
  }
  await works.dismiss(work.id);
  composer.again(work);
}

const actions = {
  show: showPicture,
  again: (work, size) => composer.again(work, size),
  code: showCode,
  usePicture: ({ blob }) => composer.attach([blob]),
  workOn: (video, use) => composer.workOn(video, use),
  upscale: async (video, resolution) => {
    announce("The finer video was ordered.");
    await works.start(upscaleWork(video, resolution, scope));
  },
  useFrame,
  againVideo: async (video) => composer.again(await workOf(video), video.size),
  codeOfVideo: async (video) => showCode(await workOf(video)),
  deletePicture: async (picture) => {
    if (!(await confirmed("Delete this picture?", "It is stored in this browser only. It cannot be brought back."))) return;
    const place = placeOf(picture.id);
    await remove("pictures", picture.id).catch(() => null);
    pictures = pictures.filter((each) => each.id !== picture.id);
    deleted("The picture was deleted.", place);
  },
  deleteVideo: async (video) => {
    if (!(await confirmed("Delete this video?", "The server deletes its files. They cannot be brought back."))) return;
    const place = placeOf(video.id);
    try {
      await videos.delete(video.id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return showError(byId("gallery-error"), `The video was not deleted. ${error.message}`);
    }
    await remove("requests", video.id).catch(() => null);
    deleted("The video was deleted.", place);
  },
};

function deleted(text, place) {
  show();
  focusCard(place);
  announce(text);
}

// What else may be made of a finished video.
const offers = {
  upscales: (video) => {
    const model = models.find((each) => each.id === video.model);
    if (video.remixed_from_video_id) return [];
    return (model?.options.upscales ?? []).map((resolution) => ({ resolution, cost: upscaleCost(model, resolution) }));
  },
  works: (video) => {
    const model = models.find((each) => each.id === video.model);
    return model?.options ? ["edit", "extend"].filter((use) => modeOf(model, use)) : [];
  },
};

// The request of a video: this browser's own, or what the server knows of one that was made elsewhere.
async function workOf(video) {
  const kept = await get("requests", video.id).catch(() => null);
  if (kept && kept.work.fields.model) return kept.work;
  const model = models.find((each) => each.id === video.model);
  const shape = model?.options ? ratioOf(video.size, model.options.aspect_ratios) : undefined;
  const seconds = model?.options?.modes && modeOf(model, "text")?.seconds.includes(Number(video.seconds)) ? video.seconds : undefined;
  const fields = { model: video.model, prompt: video.prompt, aspect_ratio: shape, seconds };
  return kept?.work ?? { id: video.id, kind: "video", route: "/videos", fields: JSON.parse(JSON.stringify(fields)), inputs: [], use: "text" };
}

async function useFrame(player) {
  if (player.readyState < 2 && !(await isLoaded(player))) {
    return showError(byId("gallery-error"), "This video cannot be read. Is its file still there?");
  }
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [player.videoWidth, player.videoHeight];
  canvas.getContext("2d").drawImage(player, 0, 0);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  composer.attach([blob]);
}

function isLoaded(player) {
  player.preload = "auto";
  return new Promise((resolve) => {
    player.addEventListener("loadeddata", () => resolve(true), { once: true });
    player.addEventListener("error", () => resolve(false), { once: true });
    player.load();
  });
}

// --- the key

function openKeyPanel(error = "") {
  byId("key-panel").hidden = false;
  byId("key-button").setAttribute("aria-expanded", "true");
  byId("forget-key").hidden = !readKey();
  byId("remember").checked = isRemembered();
  showError(byId("key-error"), error);
  byId("key").focus();
}

function closeKeyPanel() {
  byId("key-panel").hidden = true;
  byId("key-button").setAttribute("aria-expanded", "false");
  byId("key").value = "";
}

byId("key-button").addEventListener("click", () => (byId("key-panel").hidden ? openKeyPanel() : closeKeyPanel()));
byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keepKey(byId("key").value.trim(), byId("remember").checked);
  open();
});
byId("forget-key").addEventListener("click", () => {
  forgetKey();
  announce("The key was forgotten.");
  open();
});
byId("key-form").addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  closeKeyPanel();
  byId("key-button").focus();
});
byId("filter").addEventListener("change", show);
byId("older").addEventListener("click", () => videos.older().catch((error) => showError(byId("gallery-error"), error.message)));

// The last call counts: the answer for an earlier key may come later.
let turn = 0;
let later;

// Begins with the key that is there, or without one.
async function open() {
  turn += 1;
  clearTimeout(later);
  const mine = turn;
  const key = readKey();
  scope = scopeOf(key);
  models = pictures = [];
  videos.close();
  closeAdmin();
  clearGallery();
  let offered;
  try {
    offered = (await listModels()).data;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (mine === turn) refused(error, key);
    return;
  }
  const kept = await all("pictures", scope).catch(() => []);
  if (mine !== turn) return;
  const isPanelOpen = !byId("key-panel").hidden;
  closeKeyPanel();
  byId("key-state").textContent = key ? "Key" : "No key needed";
  models = offered;
  composer.setModels(models);
  pictures = kept;
  await offerFormer();
  await works.resume(scope);
  await videos.open();
  if (isPanelOpen) {
    announce("The key is right.");
    byId("prompt").focus();
  }
}

const formerPictures = async () => (former && former !== scope ? all("pictures", former).catch(() => []) : []);

async function offerFormer() {
  const { length } = await formerPictures();
  byId("former").hidden = length === 0;
  byId("former").textContent = `Take along ${length} ${length === 1 ? "picture" : "pictures"} of the key before`;
}

byId("former").addEventListener("click", async () => {
  for (const picture of await formerPictures()) await put("pictures", { ...picture, scope }).catch(() => null);
  pictures = await all("pictures", scope).catch(() => pictures);
  byId("former").hidden = true;
  show();
  byId("gallery-heading").focus();
  announce("The pictures were taken along.");
});

function refused(error, key) {
  composer.noModels(error.status === 401 ? "Give a key first" : "The models could not be loaded");
  byId("key-state").textContent = "Give a key";
  if (error.status === 401) {
    if (key) former = scope;
    return openKeyPanel(key ? error.message : "");
  }
  composer.error(error.message);
  later = setTimeout(open, 5000);
}

open();
