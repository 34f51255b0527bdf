// A person makes a video, and has it go on.
import { cards, enter, gallery, make, order, sent, visit } from "./person.mjs";

await visit(
  async (page) => {
    await enter(page);
    await page.getByRole("radio", { name: "Video", exact: true }).check();
    await page.getByLabel("Model").selectOption("veo-3.1-fast");
    await page.getByLabel("Prompt").fill(order.prompt);
    await make(page);
    await gallery(page, 1);
    await cards(page).getByRole("button", { name: "Extend" }).click();
    const note = await page.locator("#model-note").textContent();
    const cost = await page.locator("#cost").textContent();
    const lengths = await page.locator("#seconds option").allTextContents();
    await page.getByLabel("Prompt").fill(`${order.prompt} goes on`);
    const button = await page.locator("#make").textContent();
    const request = await sent(page, "/videos/extensions", () => make(page));
    const made = await gallery(page, 2);
    return { note, cost, lengths, button, body: Object.keys(request.postDataJSON()), made };
  },
  { refusals: [401] },
);
