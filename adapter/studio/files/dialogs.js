// The dialogs: a large picture, the code of a request, and a question before something is deleted.
import { BASE_URL } from "./address.js";
import { announce, byId, checked, h } from "./dom.js";
import { notesOf, sampleOf } from "./samples.js";

for (const dialog of document.querySelectorAll("dialog")) {
  dialog.querySelector("[data-close]")?.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}

export function showPicture(prompt, url) {
  byId("viewer-heading").textContent = prompt;
  byId("viewer-body").replaceChildren(h("img", { src: url, alt: prompt }));
  byId("viewer").showModal();
}

let shown = null;

export function showCode(work) {
  shown = work;
  byId("copy").textContent = "Copy";
  writeSample();
  byId("code").showModal();
}

function writeSample() {
  byId("sample").textContent = sampleOf(checked("language"), shown, BASE_URL);
  byId("sample-note").textContent = notesOf(shown);
}

byId("languages").addEventListener("change", () => {
  byId("copy").textContent = "Copy";
  writeSample();
});

byId("copy").addEventListener("click", async () => {
  const isCopied = await copy(byId("sample").textContent);
  byId("copy").textContent = isCopied ? "Copied" : "Select the text and copy it";
  announce(byId("copy").textContent);
});

// Pages without TLS have no clipboard; there the text is selected, and an older way is tried.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(byId("sample"));
    return document.execCommand("copy");
  }
}

// Returns whether the person wants it.
export function confirmed(heading, text) {
  byId("confirm-heading").textContent = heading;
  byId("confirm-text").textContent = text;
  const dialog = byId("confirm");
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
