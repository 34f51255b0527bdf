// The pictures that a request begins with: chosen, dropped, pasted, or taken from the gallery.
import { announce, byId, h, icon, showError } from "./dom.js";

const ENDINGS = { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif", "image/avif": "avif", "image/heic": "heic", "image/heif": "heif" };

// Some systems know no type for these. The server reads them all the same.
const UNTYPED = /\.(heic|heif|avif)$/i;

const isPicture = (file) => file.type.startsWith("image/") || (file.type === "" && UNTYPED.test(file.name ?? ""));
const endingOf = (file) => ENDINGS[file.type] ?? UNTYPED.exec(file.name ?? "")?.[1].toLowerCase() ?? "png";

export class Attachments {
  // Calls `changed` after each change.
  constructor(changed) {
    this.inputs = [];
    this.changed = changed;
    byId("choose").addEventListener("click", () => byId("files").click());
    byId("files").addEventListener("change", () => {
      this.add([...byId("files").files]);
      byId("files").value = "";
    });
    this.#takeDrops();
    document.addEventListener("paste", (event) => {
      const pasted = pictures(event.clipboardData);
      if (pasted.length === 0) return;
      event.preventDefault();
      this.add(pasted);
    });
  }

  set(inputs) {
    this.inputs = inputs;
    this.#show();
  }

  add(files) {
    const added = files.filter(isPicture);
    for (const blob of added) this.inputs.push({ blob, name: `input-${this.inputs.length + 1}.${endingOf(blob)}` });
    if (added.length > 0) announce(`${added.length === 1 ? "A picture was" : `${added.length} pictures were`} added.`);
    this.#show();
    const refused = files.filter((file) => !isPicture(file)).map((file) => file.name);
    if (refused.length > 0) showError(byId("composer-error"), `Not a picture: ${refused.join(", ")}. Pictures are PNG, JPEG, WebP, GIF, AVIF and HEIC.`);
  }

  #takeDrops() {
    const zone = byId("drop");
    const over = (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      zone.classList.add("over");
    };
    document.addEventListener("dragover", over);
    document.addEventListener("dragleave", (event) => event.relatedTarget === null && zone.classList.remove("over"));
    document.addEventListener("drop", (event) => {
      zone.classList.remove("over");
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      this.add([...event.dataTransfer.files]);
    });
  }

  #remove(index) {
    this.inputs.splice(index, 1);
    this.inputs.forEach((input, place) => {
      input.name = input.name.replace(/input-\d+/, `input-${place + 1}`);
    });
    this.#show();
    announce("The picture was removed.");
    (byId("attached").querySelectorAll("button")[Math.min(index, this.inputs.length - 1)] ?? byId("choose")).focus();
  }

  #show() {
    for (const image of byId("attached").querySelectorAll("img")) URL.revokeObjectURL(image.src);
    byId("attached").replaceChildren(...this.inputs.map((input, index) => this.#thumbnail(input, index)));
    this.changed();
  }

  #thumbnail({ blob }, index) {
    const remove = { type: "button", class: "round", "aria-label": `Remove picture ${index + 1}`, onclick: () => this.#remove(index) };
    return h("li", {}, h("img", { src: URL.createObjectURL(blob), alt: `Picture ${index + 1}` }), h("button", remove, icon("close")));
  }
}

const pictures = (data) => [...(data?.files ?? [])].filter(isPicture);
