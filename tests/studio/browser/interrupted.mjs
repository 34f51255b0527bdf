// A person reloads the page while a picture is being made.
import { enter, gallery, make, order, sent, visit } from "./person.mjs";

await visit(
  async (page) => {
    await enter(page);
    const asked = async () => (await (await fetch(order.ledger)).json()).requests["gemini.generate"] ?? 0;
    const before = await asked();
    await page.getByLabel("Prompt").fill(order.prompt);
    await sent(page, "/images/generations", () => make(page));
    while ((await asked()) === before) await new Promise((resolve) => setTimeout(resolve, 20));
    const bar = await page.getByRole("progressbar", { name: order.prompt }).isVisible();
    await page.reload();
    await page.getByRole("progressbar", { name: order.prompt }).waitFor();
    return { bar, made: await gallery(page, 1), waiting: await page.locator("#running > li").count() };
  },
  { refusals: [401] },
);
