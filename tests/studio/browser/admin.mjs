// An administrator looks at usage and accounts: those of the server, or `answers` in their place.
import { enter, order, visit } from "./person.mjs";

await visit(
  async (page) => {
    const asked = [];
    await page.route("**/v1/organization/**", async (route) => {
      const address = new URL(route.request().url());
      const key = route.request().headers().authorization;
      if (key === "Bearer sk-administrator") asked.push(address.pathname + address.search.replace(/start_time=\d+/, "start_time=…"));
      if (!order.answers) return route.continue();
      if (key !== "Bearer sk-administrator") return route.fulfill({ status: 403, json: { error: { message: "You have insufficient permissions." } } });
      const answer = order.answers[address.pathname];
      await route.fulfill(answer ? { json: answer } : { status: 404, json: { error: { message: "Unknown request URL." } } });
    });
    await enter(page);
    const before = asked.length;
    await page.getByText("Usage and accounts").click();
    await page.getByLabel("Administrator's key").fill("sk-guess");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    const refused = await page.locator("#admin-parts .error").textContent();
    await page.getByLabel("Administrator's key").fill("sk-administrator");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.locator("#admin-parts table").first().waitFor();
    const tables = await page.locator("#admin-parts table").evaluateAll((all) =>
      all.map((table) => [table.caption.textContent, ...[...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent).join(" | "))]),
    );
    const stored = await page.evaluate(() => Object.values({ ...sessionStorage, ...localStorage }));
    return { before, refused, stored, asked: asked.sort(), tables };
  },
  { refusals: [401, 403, 404] },
);
