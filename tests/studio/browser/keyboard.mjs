// A person without a mouse.
import { gallery, order, STUDIO, visit } from "./person.mjs";

const MOST_STEPS = 80;

await visit(
  async (page) => {
    const unseen = [];
    const focused = () =>
      page.evaluate(() => {
        const element = document.activeElement;
        const shown = element.matches(".segments input, .shapes input") ? element.nextElementSibling : element;
        const style = getComputedStyle(shown);
        const name = element.id || element.getAttribute("aria-label") || element.textContent.trim().slice(0, 30);
        return { name, isSeen: style.outlineStyle !== "none" || element.tagName === "VIDEO" };
      });
    // Presses Tab until an element has the focus.
    async function tabTo(name) {
      for (let step = 0; step < MOST_STEPS; step += 1) {
        await page.keyboard.press("Tab");
        const { name: found, isSeen } = await focused();
        if (!isSeen) unseen.push(found);
        if (found === name) return;
      }
      throw new Error(`no Tab leads to ${name}`);
    }

    await page.goto(STUDIO);
    await page.locator("#key:focus").waitFor();
    await page.keyboard.type(order.key);
    await page.keyboard.press("Enter");
    await page.locator("#prompt:focus").waitFor();
    await page.keyboard.type(order.prompt);
    await tabTo("choose");
    await tabTo("model");
    await page.keyboard.press("ArrowDown");
    const model = await page.locator("#model").inputValue();
    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowRight");
    const shape = await page.locator('input[name="shape"]:checked').inputValue();
    await tabTo("make");
    await page.keyboard.press("Enter");
    await gallery(page, 1);
    const said = await page.locator("#status").filter({ hasText: "ready" }).textContent();
    await tabTo("Code");
    await page.keyboard.press("Enter");
    await page.locator("#code[open]").waitFor();
    await page.keyboard.press("Escape");
    const back = (await focused()).name;
    await tabTo("Delete");
    await page.keyboard.press("Enter");
    await page.locator("#confirm[open]").waitFor();
    const safe = (await focused()).name;
    await tabTo("Delete");
    await page.keyboard.press("Enter");
    await gallery(page, 0);
    const after = (await focused()).name;

    await page.locator("#prompt").focus();
    await page.keyboard.press("Control+Enter");
    await gallery(page, 1);
    return { model, shape, said, back, safe, after, unseen };
  },
  { refusals: [401] },
);
