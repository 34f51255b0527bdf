// What every visit begins and ends with: headless Chromium, one page, and on standard output what was seen.
import { chromium } from "playwright-core";

export const order = JSON.parse(process.argv[2]);
export const STUDIO = `${order.url}/studio`;

// As root and on a machine without a screen; the rest keeps Chromium from calling home.
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const MILLISECONDS = 20_000;

// Plays `see` with a page. `refusals` are the statuses that the server is expected to refuse with, and
// `losses` says that answers are lost: the console names both.
export async function visit(see, { refusals = [], losses = false, ...options } = {}) {
  const browser = await chromium.launch({ executablePath: order.chromium, args: FLAGS });
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, acceptDownloads: true, ...options });
  const complaints = [];
  const page = await context.newPage();
  page.setDefaultTimeout(MILLISECONDS);
  page.on("console", (message) => {
    const isRefused = refusals.some((status) => message.text().includes(`status of ${status}`));
    const isExpected = isRefused || (losses && message.text().includes("ERR_FAILED"));
    if (["error", "warning"].includes(message.type()) && !isExpected) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (/^https?:/.test(request.url()) && !request.url().startsWith(`${order.url}/`)) complaints.push(`asked ${request.url()}`);
  });
  try {
    const seen = await see(page, context);
    console.log(JSON.stringify({ seen, complaints }));
  } catch (error) {
    await page.screenshot({ path: `${order.folder}/failed.png` });
    throw error;
  } finally {
    await browser.close();
  }
}

// Opens the studio and gives the key.
export async function enter(page, { isRemembered = false } = {}) {
  await page.goto(STUDIO);
  if (isRemembered) await page.getByLabel("Remember it on this device").check();
  await page.getByLabel("API key").fill(order.key);
  await page.getByRole("button", { name: "Use this key" }).click();
  await page.getByRole("combobox", { name: "Model" }).and(page.locator(":enabled")).waitFor();
}

export const cards = (page) => page.locator("#gallery > li");

// The texts of the cards, when there are as many.
export async function gallery(page, count) {
  await page.waitForFunction((wanted) => document.querySelectorAll("#gallery > li").length === wanted, count);
  return cards(page).locator(".prompt").allTextContents();
}

export const make = (page) => page.locator("#make").click();

// Does `action`, and returns the body of the request that it sent.
export async function sent(page, path, action) {
  const [request] = await Promise.all([page.waitForRequest((each) => each.method() === "POST" && each.url().endsWith(path)), action()]);
  return request;
}
