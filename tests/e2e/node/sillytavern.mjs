// A user of SillyTavern: connects it, types, sees nothing because external media is forbidden, and allows it.
import { media, order, shot, visit } from "./browser.mjs";

await visit(async (page) => {
  const inDrawer = async (button, panel, act) => {
    await page.locator(`#${button} .drawer-toggle`).click();
    await page.locator(`#${panel}.openDrawer`).waitFor();
    await act();
    await page.locator(`#${button} .drawer-toggle`).click();
    await page.locator(`#${panel}`).waitFor({ state: "hidden" });
  };
  const toastsAreGone = () => page.locator("#toast-container .toast").first().waitFor({ state: "hidden" });

  await page.goto(order.url);
  await page.locator("dialog .popup-button-ok:visible").click({ timeout: 60_000 });
  await inDrawer("sys-settings-button", "rm_api_block", async () => {
    await page.locator("#main_api").selectOption("openai");
    await page.locator("#chat_completion_source").selectOption("custom");
    await page.locator("#custom_api_url_text").fill(order.base);
    await page.locator("#api_key_custom").fill(order.key);
    await page.locator("#api_button_openai").click();
    await page.locator(`#model_custom_select option[value="${order.model}"]`).waitFor({ state: "attached" });
    await page.locator("#model_custom_select").selectOption(order.model);
    await toastsAreGone();
    await shot(page, "settings");
  });

  await page.locator("#send_textarea").fill(order.prompt);
  await page.locator("#send_but").click();
  const answer = page.locator("#chat .mes").last();
  const thoughts = page.locator("#chat .mes_reasoning_header:visible").last();
  await thoughts.click();
  const progress = answer.locator(".mes_reasoning");
  await progress.getByText(new RegExp(order.progress)).first().waitFor();
  const told = await progress.innerText();
  await shot(page, "progress");

  await page.locator("#mes_stop").waitFor({ state: "hidden", timeout: 60_000 });
  const blocked = page.locator("#toast-container .toast", { hasText: "External media has been blocked" });
  await blocked.click();
  const forbidden = await answer.locator(`.mes_text ${order.tag}`).count();
  await thoughts.click();
  await inDrawer("user-settings-button", "user-settings-block", () =>
    page.locator("#forbid_external_media").uncheck(),
  );
  const seen = await media(page.locator("#chat .mes_text").last(), order.tag);
  await toastsAreGone();
  await shot(page, "answer");
  return { told, forbidden, seen };
});
