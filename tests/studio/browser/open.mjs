// A server that needs no key; and a request that another visit left a day ago.
import { gallery, make, order, STUDIO, visit } from "./person.mjs";

await visit(async (page) => {
  await page.goto(STUDIO);
  await page.getByRole("combobox", { name: "Model" }).and(page.locator(":enabled")).waitFor();
  const asks = await page.getByLabel("API key").isVisible();
  const state = await page.locator("#key-state").textContent();
  await page.getByLabel("Prompt").fill(order.prompt);
  await make(page);
  const made = await gallery(page, 1);
  await page.evaluate(async (prompt) => {
    const { put } = await import("/studio/store.js");
    const startedAt = Date.now() - 24 * 3600 * 1000;
    await put("works", { id: "old", scope: "open", kind: "image", startedAt, inputs: [], route: "/images/generations", fields: { prompt, model: "flow-gem-pix" } });
  }, order.prompt);
  await page.reload();
  const old = await page.locator("#running > li.failed .hint").first().textContent();
  return { asks, state, made, old };
});
