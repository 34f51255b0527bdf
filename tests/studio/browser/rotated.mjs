// A key ends while the page is open. The next key gets the pictures of the one before.
import { enter, gallery, make, order, visit } from "./person.mjs";

await visit(
  async (page) => {
    await enter(page);
    await page.getByLabel("Prompt").fill(order.prompt);
    await make(page);
    await gallery(page, 1);
    // The server refuses the old key from now on, and takes another one for it.
    await page.route("**/v1/**", async (route) => {
      const headers = route.request().headers();
      const isNew = headers.authorization === "Bearer sk-new";
      await route.continue({ headers: { ...headers, authorization: isNew ? `Bearer ${order.key}` : "Bearer sk-ended" } });
    });
    await make(page);
    const said = await page.locator("#key-error:visible").textContent();
    await page.getByLabel("API key").fill("sk-new");
    await page.getByRole("button", { name: "Use this key" }).click();
    const offer = page.getByRole("button", { name: "Take along" });
    const text = await offer.textContent();
    const before = (await gallery(page, 0)).length;
    await offer.click();
    await gallery(page, 1);
    await page.reload();
    const after = (await gallery(page, 1)).length;
    return { said, text, before, after, isOffered: await offer.isVisible() };
  },
  { refusals: [401] },
);
