// A picture that is refused, a video that fails, and a server that is away for a moment.
import { cards, enter, gallery, make, order, visit } from "./person.mjs";

await visit(
  async (page) => {
    await enter(page);
    await page.getByLabel("Prompt").fill(`[blocked] ${order.prompt}`);
    await make(page);
    const refused = page.locator("#running > li.failed");
    const why = await refused.locator(".line .hint").first().textContent();
    await refused.getByRole("button", { name: "Change it" }).click();
    await refused.waitFor({ state: "detached" });
    const prompt = await page.getByLabel("Prompt").inputValue();
    const waiting = await page.locator("#running > li").count();

    await page.getByRole("radio", { name: "Video", exact: true }).check();
    await page.getByLabel("Prompt").fill(`[fails] ${order.prompt}`);
    await make(page);
    await gallery(page, 1);
    const failed = await cards(page).locator(".why").textContent();

    let tries = 0;
    await page.route("**/v1/images/generations", async (route) => {
      tries += 1;
      if (tries === 1) await route.abort();
      else await route.continue();
    });
    await page.getByRole("radio", { name: "Picture", exact: true }).check();
    await page.getByLabel("Prompt").fill(order.prompt);
    await make(page);
    const made = await gallery(page, 2);
    return { why, prompt, waiting, failed, tries, made };
  },
  { refusals: [401, 400], losses: true },
);
