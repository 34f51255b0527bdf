// Pictures are dropped and pasted, and a finished video is changed.
import { cards, enter, gallery, make, order, sent, visit } from "./person.mjs";

await visit(
  async (page) => {
    await enter(page);
    const give = (type) =>
      page.evaluate(
        ([kind, base64]) => {
          const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
          const data = new DataTransfer();
          data.items.add(new File([bytes], "given.png", { type: "image/png" }));
          const init = { bubbles: true, cancelable: true };
          const event = kind === "drop" ? new DragEvent("drop", { ...init, dataTransfer: data }) : new ClipboardEvent("paste", { ...init, clipboardData: data });
          document.querySelector("#drop").dispatchEvent(event);
        },
        [type, order.picture],
      );
    await page.getByLabel("Model").selectOption("flow-gem-pix");
    await give("drop");
    await give("paste");
    const attached = await page.locator("#attached li").count();
    await give("paste");
    await give("paste");
    const tooMany = await page.locator("#composer-error").textContent();
    await page.getByRole("button", { name: "Remove picture 4" }).click();
    await page.getByLabel("Prompt").fill(order.prompt);
    const cost = await page.locator("#cost").textContent();
    await sent(page, "/images/edits", () => make(page));
    await gallery(page, 1);

    for (const name of [3, 2, 1]) await page.getByRole("button", { name: `Remove picture ${name}` }).click();
    await page.getByRole("radio", { name: "Video", exact: true }).check();
    await page.getByLabel("Model").selectOption("gemini-omni-1.2-flash");
    await page.getByLabel("Resolution").selectOption("360p");
    await page.getByLabel("Length").selectOption("3");
    const price = await page.locator("#cost").textContent();
    await make(page);
    await gallery(page, 2);
    const video = cards(page).filter({ has: page.locator("video") }).first();
    await video.getByRole("button", { name: "Edit" }).click();
    await page.getByLabel("Prompt").fill(`${order.prompt}, at night`);
    const button = await page.locator("#make").textContent();
    const request = await sent(page, "/videos/edits", () => make(page));
    const made = await gallery(page, 3);
    await page.getByRole("button", { name: "Make a new video instead" }).click();
    const plain = await page.locator("#make").textContent();
    return { attached, tooMany, cost, price, button, body: Object.keys(request.postDataJSON()), made: made[0], plain };
  },
  { refusals: [401] },
);
