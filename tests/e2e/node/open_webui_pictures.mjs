// A user of Open WebUI whose pictures come from its own engine: has one made beside an answer, and then changed.
import { order, shot, visit } from "./browser.mjs";

// What the browser made of the picture with this number.
async function picture(answer, number) {
  const element = answer.locator('img[src*="/api/v1/files/"]').nth(number);
  await element.waitFor({ timeout: 60_000 });
  return element.evaluate(async (node) => {
    await node.decode();
    return { width: node.naturalWidth, height: node.naturalHeight };
  });
}

async function ask(page, words) {
  await page.locator("#chat-input").click();
  await page.keyboard.type(words);
  await page.keyboard.press("Enter");
}

await visit(async (page) => {
  await page.goto(`${order.url}/?models=${order.model}&image-generation=true`);
  await page.getByText("Okay, Let's Go!").click({ timeout: 60_000 });
  await page.locator("[data-sonner-toast]").first().waitFor({ state: "hidden" });

  const answer = page.locator("#messages-container");
  await ask(page, order.prompt);
  const made = await picture(answer, 0);
  await answer.getByText(order.said).first().waitFor();
  await shot(page, "answer");

  await ask(page, order.change);
  const changed = await picture(answer, 1);
  await answer.getByText(order.said).nth(1).waitFor();
  return { made, changed };
});
