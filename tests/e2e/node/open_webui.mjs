// A user of Open WebUI: takes a model, types, watches, looks, and loads the page again.
import { media, order, shot, visit } from "./browser.mjs";

await visit(async (page) => {
  await page.goto(`${order.url}/?models=${order.model}`);
  await page.getByText("Okay, Let's Go!").click({ timeout: 60_000 });
  await page.locator("[data-sonner-toast]").first().waitFor({ state: "hidden" });
  await page.locator("#chat-input").click();
  await page.keyboard.type(order.prompt);
  await page.keyboard.press("Enter");

  const answer = page.locator("#messages-container");
  const thoughts = answer.getByText(/^(Thinking|Thought)/).first();
  await thoughts.click();
  const progress = answer.getByText(new RegExp(order.progress)).first();
  await progress.waitFor();
  const told = await progress.innerText();
  await shot(page, "progress");

  await answer.locator(`${order.tag}[src*="/media/"]`).waitFor({ timeout: 60_000 });
  await thoughts.click();
  const seen = await media(answer, order.tag);
  await page.getByText(order.title, { exact: true }).first().waitFor({ state: "attached" });
  await shot(page, "answer");

  await page.reload();
  return { told, seen, reloaded: await media(answer, order.tag) };
});
