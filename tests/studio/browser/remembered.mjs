// A person has the key remembered, comes back in another tab, and has it forgotten.
import { enter, order, STUDIO, visit } from "./person.mjs";

await visit(
  async (page, context) => {
    await enter(page, { isRemembered: true });
    const other = await context.newPage();
    await other.goto(STUDIO);
    await other.getByRole("combobox", { name: "Model" }).and(other.locator(":enabled")).waitFor();
    const isAsked = await other.getByLabel("API key").isVisible();
    await other.locator("#key-button").click();
    await other.getByRole("button", { name: "Forget the key" }).click();
    await other.getByLabel("API key").waitFor();
    const left = await other.evaluate(() => localStorage.length + sessionStorage.length);
    return { isAsked, left, model: await page.getByRole("combobox", { name: "Model" }).inputValue(), key: order.key };
  },
  { refusals: [401] },
);
