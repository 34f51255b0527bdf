// Files that are no pictures, writing from right to left, a contrast theme, and data that are deleted meanwhile.
import { enter, gallery, make, order, sent, visit } from "./person.mjs";

const drop = (page, name, type, text) =>
  page.evaluate(
    ([file, kind, content]) => {
      const data = new DataTransfer();
      data.items.add(new File([content], file, { type: kind }));
      document.querySelector("#drop").dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
    },
    [name, type, text],
  );

await visit(
  async (page) => {
    await enter(page);
    await drop(page, "offer.pdf", "application/pdf", "%PDF");
    const refused = await page.getByText("Not a picture").textContent();
    await drop(page, "Photo.HEIC", "", "not read here");
    const attached = await page.locator("#attached li").count();
    await page.getByLabel("Prompt").fill(order.prompt);
    await sent(page, "/images/edits", () => make(page));
    await page.getByRole("button", { name: "Dismiss" }).waitFor();
    const name = await page.evaluate(async (key) => {
      const [{ all }, { scopeOf }] = [await import("/studio/store.js"), await import("/studio/key.js")];
      const [work] = await all("works", scopeOf(key));
      return work.inputs[0].name;
    }, order.key);
    await page.getByRole("button", { name: "Dismiss" }).click();
    await page.getByRole("button", { name: "Remove picture 1" }).click();

    const direction = (selector) => page.locator(selector).first().evaluate((element) => getComputedStyle(element).direction);
    const directions = [await direction("#prompt")];
    await make(page);
    await gallery(page, 1);
    directions.push(await direction("#gallery .prompt"));

    await page.emulateMedia({ forcedColors: "active" });
    const color = (selector) => page.locator(selector).first().evaluate((element) => getComputedStyle(element).backgroundColor);
    const areAlike = [
      (await color("input[name=kind]:checked + span")) === (await color("input[name=kind]:not(:checked) + span")),
      (await color("input[name=shape]:checked + span")) === (await color("input[name=shape]:not(:checked) + span")),
    ];

    await page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const request = indexedDB.deleteDatabase("adapter-studio");
          request.onsuccess = resolve;
          request.onblocked = reject;
        }),
    );
    await make(page);
    await gallery(page, 2);
    await page.locator("#running-section").waitFor({ state: "hidden" });
    await page.reload();
    const kept = (await gallery(page, 1)).length;
    return { refused, attached, name, directions, areAlike, kept };
  },
  { refusals: [400, 401] },
);
