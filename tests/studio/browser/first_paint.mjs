// The models take their time; the page is there.
import { order, STUDIO, visit } from "./person.mjs";

await visit(
  async (page) => {
    let answer;
    const held = new Promise((resolve) => {
      answer = resolve;
    });
    await page.route("**/v1/models", async (route) => {
      await held;
      await route.continue();
    });
    await page.goto(STUDIO);
    await page.getByLabel("Prompt").fill(order.prompt);
    const before = { heading: await page.getByRole("heading", { level: 1 }).textContent(), model: await page.locator("#model option").first().textContent() };
    answer();
    await page.getByLabel("API key").waitFor();
    return { ...before, prompt: await page.getByLabel("Prompt").inputValue() };
  },
  { refusals: [401] },
);
