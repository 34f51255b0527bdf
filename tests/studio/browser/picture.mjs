// A person gives a key, makes pictures, comes back, uses one as input, and deletes it.
import { cards, enter, gallery, make, order, sent, STUDIO, visit } from "./person.mjs";

await visit(
  async (page, context) => {
    await page.goto(STUDIO);
    await page.getByLabel("API key").fill("sk-wrong");
    await page.getByRole("button", { name: "Use this key" }).click();
    const refused = await page.locator("#key-error").filter({ hasText: /./ }).textContent();

    await enter(page);
    const kept = await page.evaluate(() => [sessionStorage.getItem("adapter.key"), localStorage.getItem("adapter.key")]);
    await make(page);
    const empty = await page.locator("#composer-error").textContent();

    await page.getByLabel("Prompt").fill(order.prompt);
    await page.getByLabel("How many").selectOption("2");
    await page.getByRole("radio", { name: "16:9" }).check();
    const cost = await page.locator("#cost").textContent();
    const request = await sent(page, "/images/generations", () => make(page));
    const made = await gallery(page, 2);
    const shown = await cards(page).first().locator("img").evaluate(async (image) => {
      await image.decode();
      return [image.naturalWidth, image.naturalHeight];
    });

    await page.reload();
    const again = await gallery(page, 2);

    const [file] = await Promise.all([page.waitForEvent("download"), cards(page).first().getByRole("link", { name: "Download" }).click()]);
    const name = file.suggestedFilename();

    await cards(page).first().getByRole("button", { name: "Use as input" }).click();
    await page.getByLabel("Prompt").fill(`${order.prompt}, in blue`);
    await sent(page, "/images/edits", () => make(page));
    const edited = await gallery(page, 3);

    await cards(page).first().getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Keep it" }).click();
    const spared = await cards(page).count();
    await cards(page).first().getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    const left = await gallery(page, 2);
    await page.reload();
    const leftForGood = await gallery(page, 2);

    // Another tab of the same browser has no key, because it was not to be remembered.
    const other = await context.newPage();
    await other.goto(STUDIO);
    const asks = await other.getByLabel("API key").isVisible();
    return { refused, kept, empty, cost, body: request.postDataJSON(), made, shown, again, name, edited, spared, left, leftForGood, asks };
  },
  { refusals: [401] },
);
