// The form for a new picture or video. It offers what the chosen model really makes.
import { Attachments } from "./attachments.js";
import { announce, byId, checked, fill, h, icon, shapeIcon, showError } from "./dom.js";
import { costOf, modeOf, ofKind, ratioOf, usesOf } from "./models.js";

const MOST_PICTURES = 4;
const ORDER = ["21:9", "16:9", "3:2", "4:3", "5:4", "1:1", "4:5", "3:4", "2:3", "9:16", "4:1", "8:1", "1:4", "1:8"];
const WORK_ON = { edit: "Edit", extend: "Extend" };

export class Composer {
  // Calls `make` with what was chosen.
  constructor(make) {
    this.models = [];
    // A finished video that is edited or extended.
    this.source = null;
    this.chosen = { image: "", video: "" };
    this.attachments = new Attachments(() => this.update());
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(make);
    });
    byId("composer").addEventListener("change", (event) => {
      if (event.target.name === "kind") this.#setSource(null);
      this.update();
    });
    byId("prompt").addEventListener("input", () => showError(byId("composer-error"), ""));
    byId("prompt").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) byId("composer").requestSubmit();
    });
  }

  get kind() {
    return checked("kind");
  }

  get model() {
    return this.models.find((model) => model.id === byId("model").value);
  }

  setModels(models) {
    this.models = models;
    byId("model").disabled = models.length === 0;
    byId("make").disabled = models.length === 0;
    for (const kind of ["image", "video"]) {
      document.querySelector(`input[name="kind"][value="${kind}"]`).disabled = ofKind(models, kind).length === 0;
    }
    this.#kindShown = "";
    this.update();
  }

  noModels(text) {
    this.models = [];
    byId("model").disabled = byId("make").disabled = true;
    byId("model").replaceChildren(h("option", {}, text));
  }

  error(text) {
    showError(byId("composer-error"), text);
  }

  attach(blobs) {
    this.attachments.add(blobs);
    byId("prompt").focus();
  }

  // Begins to work on a finished video: `use` is `edit` or `extend`.
  workOn(video, use) {
    document.querySelector('input[name="kind"][value="video"]').checked = true;
    this.#setSource({ id: video.id, prompt: video.prompt, model: video.model, use });
    this.update();
    byId("prompt").focus();
    announce(`${WORK_ON[use]} this video: say what shall ${use === "edit" ? "change" : "happen next"}.`);
  }

  // Fills the form with an earlier request, so that its cost is seen before it is sent again.
  again({ kind, fields, inputs, use, source }, size) {
    document.querySelector(`input[name="kind"][value="${kind}"]`).checked = true;
    this.#setSource(source ? { ...source, use } : null);
    byId("prompt").value = fields.prompt ?? "";
    byId("seed").value = fields.seed ?? "";
    this.attachments.set(inputs.map((input) => ({ ...input })));
    this.update();
    select(byId("model"), fields.model);
    this.update();
    select(byId("use"), use);
    this.update();
    const shape = fields.aspect_ratio ?? (size && this.model ? ratioOf(size, this.model.options.aspect_ratios) : "");
    const radio = document.querySelector(`input[name="shape"][value="${shape}"]`);
    if (radio) radio.checked = true;
    select(byId("resolution"), fields.image_size ?? fields.resolution);
    select(byId("seconds"), fields.seconds);
    select(byId("count"), fields.n ?? 1);
    select(byId("thinking"), fields.thinking_level ?? "");
    byId("more").open ||= fields.seed !== undefined || fields.thinking_level !== undefined;
    this.update();
    byId("make").focus();
    announce("The form has this request again. Press the button to make it.");
  }

  #kindShown = "";

  update() {
    if (this.models.length === 0) return;
    const { kind } = this;
    const offered = ofKind(this.models, kind).filter((model) => !this.source || modeOf(model, this.source.use));
    if (this.#kindShown) this.chosen[this.#kindShown] = byId("model").value;
    const pairs = offered.map((model) => [model.id, model.id]);
    fill(byId("model"), pairs, this.source?.model ?? (pairs.some(([id]) => id === this.chosen[kind]) ? this.chosen[kind] : undefined));
    byId("model").disabled = Boolean(this.source);
    this.#kindShown = kind;
    const { model } = this;
    if (!model) return this.noOffer(kind);
    this.#showUses(model);
    this.#showShapes(model);
    this.#showChoices(model);
    this.#showNotes(model);
    byId("make").disabled = false;
    byId("make").textContent = this.source ? `${WORK_ON[this.source.use]} the video` : kind === "video" ? "Make the video" : this.#pictures();
  }

  noOffer(kind) {
    byId("make").disabled = true;
    showError(byId("composer-error"), `No model of this server makes ${kind === "video" ? "videos" : "pictures"}.`);
  }

  #pictures() {
    return Number(byId("count").value) > 1 ? `Make ${byId("count").value} pictures` : "Make the picture";
  }

  #use() {
    if (this.source) return this.source.use;
    return this.kind === "video" ? byId("use").value || "text" : "";
  }

  #showUses(model) {
    const count = this.attachments.inputs.length;
    const uses = this.kind === "video" && !this.source ? usesOf(model, count) : [];
    fill(byId("use"), uses);
    byId("use-field").hidden = count === 0 || uses.length === 0;
    byId("drop").hidden = this.kind === "video" && Boolean(this.source);
  }

  #showShapes(model) {
    const before = checked("shape") ?? "";
    const offered = (this.kind === "video" ? modeOf(model, this.#use())?.aspect_ratios : null) ?? model.options.aspect_ratios;
    const ratios = ORDER.filter((ratio) => offered.includes(ratio)).concat(offered.filter((ratio) => !ORDER.includes(ratio)));
    const chosen = ratios.includes(before) ? before : "";
    const radio = (ratio) =>
      h(
        "label",
        {},
        h("input", { type: "radio", name: "shape", value: ratio, checked: ratio === chosen }),
        h("span", {}, ratio ? shapeIcon(ratio) : null, ratio || "Auto"),
      );
    const focused = document.activeElement?.name === "shape";
    byId("shapes").replaceChildren(radio(""), ...ratios.map(radio));
    if (focused) document.querySelector('input[name="shape"]:checked').focus();
    byId("shape-field").hidden = Boolean(this.source);
  }

  #showChoices(model) {
    const { resolutions, resolution, thinking } = model.options;
    fill(byId("resolution"), resolutions.map((each) => [each, each]), resolution);
    byId("resolution-field").hidden = resolutions.length < 2 || Boolean(this.source);
    const lengths = this.kind === "video" ? (modeOf(model, this.#use())?.seconds ?? []) : [];
    fill(byId("seconds"), lengths.map((each) => [each, `${each} seconds`]), lengths.includes(model.options.seconds) ? model.options.seconds : lengths.at(-1));
    byId("seconds-field").hidden = lengths.length === 0 || this.#use() === "edit";
    byId("seconds").disabled = lengths.length === 1;
    fill(byId("count"), Array.from({ length: MOST_PICTURES }, (_, index) => [index + 1, String(index + 1)]), 1);
    byId("count-field").hidden = this.kind === "video";
    fill(byId("thinking"), [["", "As the model does"], ...(thinking ?? []).map((each) => [each, each])], "");
    byId("thinking-field").hidden = !thinking?.length;
    byId("more").hidden = Boolean(this.source);
  }

  #showNotes(model) {
    const most = model.options.images;
    const count = this.attachments.inputs.length;
    const hints = { 0: "This model works from the prompt alone.", 1: "One picture at most; drop it here or paste it." };
    byId("drop-hint").textContent = hints[most] ?? `Up to ${most}. Drop or paste them here.`;
    byId("choose").disabled = count >= most;
    const note = byId("model-note");
    const until = model.shutdown_date && `Google switches this model off on ${model.shutdown_date}.`;
    const source = this.source && `${WORK_ON[this.source.use]}: “${this.source.prompt}”`;
    note.textContent = source || until || "";
    note.hidden = !note.textContent;
    if (this.source) note.append(" ", h("button", { type: "button", class: "link", onclick: () => this.#leaveSource() }, icon("close"), "Make a new video instead"));
    const cost = costOf(model, { ...this.#numbers(), resolution: byId("resolution").value, use: this.#use() });
    byId("cost").textContent = cost ? `about ${cost}` : "price unknown";
    this.error(count > most ? `This model takes ${most} pictures at most. Remove ${count - most}, or choose another model.` : "");
  }

  #numbers() {
    const isVideo = this.kind === "video";
    return { seconds: isVideo ? Number(byId("seconds").value) : undefined, count: isVideo ? 1 : Number(byId("count").value) };
  }

  #setSource(source) {
    this.source = source;
  }

  #leaveSource() {
    this.#setSource(null);
    this.update();
    byId("prompt").focus();
  }

  #submit(make) {
    const prompt = byId("prompt").value.trim();
    const problem = this.#problem(prompt);
    if (problem) {
      this.error(problem.text);
      return problem.field.focus();
    }
    if (byId("make").disabled || !this.model) return;
    this.error("");
    const { model, kind, source } = this;
    make({
      kind,
      model,
      prompt,
      source,
      shape: checked("shape"),
      resolution: byId("resolution").value,
      seed: byId("seed").value === "" ? undefined : Number(byId("seed").value),
      thinking: byId("thinking").value,
      use: this.#use(),
      inputs: source ? [] : this.attachments.inputs.map((input) => ({ ...input })),
      ...this.#numbers(),
    });
  }

  #problem(prompt) {
    const most = this.model?.options.images ?? 0;
    if (!prompt) return { text: "Write what you want to see.", field: byId("prompt") };
    if (!/^\d*$/.test(byId("seed").value)) byId("more").open = true;
    if (!/^\d*$/.test(byId("seed").value)) return { text: "A seed is a whole number.", field: byId("seed") };
    if (!this.source && this.attachments.inputs.length > most) return { text: `This model takes ${most} pictures at most.`, field: byId("choose") };
    return null;
  }
}

function select(element, value) {
  if (value !== undefined && [...element.options].some((option) => option.value === String(value))) element.value = String(value);
}
