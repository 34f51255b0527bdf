// The page in all its states: looked at by axe in light and dark, and measured on a phone.
import { readFileSync } from "node:fs";
import { cards, enter, gallery, make, order, STUDIO, visit } from "./person.mjs";

const AXE = readFileSync("node_modules/axe-core/axe.min.js", "utf8");
const PHONE = { width: 360, height: 740 };
const DESK = { width: 1280, height: 860 };

await visit(
  async (page) => {
    const faults = [];
    const widths = {};
    async function look(state) {
      await page.evaluate(AXE);
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
        for (const { id, nodes } of violations) faults.push(`${state}, ${colorScheme}: ${id} at ${nodes.map((node) => node.target).join(", ")}`);
      }
      await page.setViewportSize(PHONE);
      widths[state] = await page.evaluate(() => document.documentElement.scrollWidth);
      await page.setViewportSize(DESK);
    }

    await page.goto(order.url);
    await page.locator("#base-url").waitFor();
    const base = await page.locator("#base-url").textContent();
    await look("first page");
    await page.getByRole("link", { name: "Studio" }).click();
    await page.getByLabel("API key").waitFor();
    await look("without a key");

    await enter(page);
    await look("empty");
    await page.getByLabel("Prompt").fill(`[blocked] ${"a-word-without-an-end".repeat(9)}`);
    await make(page);
    await page.locator("#running > li.failed").waitFor();
    await look("refused");
    await page.getByRole("button", { name: "Dismiss" }).click();

    await page.getByLabel("Prompt").fill(order.prompt);
    await make(page);
    await gallery(page, 1);
    await cards(page).getByRole("button", { name: "Use as input" }).click();
    await page.getByRole("radio", { name: "Video", exact: true }).check();
    await make(page);
    await page.locator("#running > li").waitFor();
    await look("video under way");
    await gallery(page, 2);
    await page.getByText("Usage and accounts").click();
    await page.getByLabel("Administrator's key").waitFor();
    await look("gallery");
    await cards(page).first().getByRole("button", { name: "Code" }).click();
    await look("code");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Show the picture" }).click();
    await look("viewer");
    await page.keyboard.press("Escape");
    await cards(page).first().getByRole("button", { name: "Delete" }).click();
    await look("question");
    return { base, faults, widths };
  },
  { refusals: [400, 401, 403, 404] },
);
