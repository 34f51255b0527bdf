// What every visit begins and ends with: headless Chromium, one page, and on standard output what was seen.
import { chromium } from "playwright-core";

export const order = JSON.parse(process.argv[2]);

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

export async function visit(see) {
  const browser = await chromium.launch({ executablePath: order.chromium, args: FLAGS });
  const page = await browser.newPage({ viewport: { width: 1100, height: 860 } });
  page.setDefaultTimeout(30_000);
  try {
    console.log(JSON.stringify(await see(page)));
  } catch (error) {
    await page.screenshot({ path: `${order.folder}/failed.png` });
    throw error;
  } finally {
    await browser.close();
  }
}

export const shot = (page, name) => page.screenshot({ path: `${order.folder}/${name}.png` });

// What the browser made of the last picture or video in an answer, once it has loaded or 60 s are over.
export async function media(answer, tag) {
  const element = answer.locator(`${tag}[src*="/media/"]`).last();
  await element.waitFor({ timeout: 60_000 });
  await element.scrollIntoViewIfNeeded();
  return element.evaluate(async (node) => {
    const loaded = () => (node.tagName === "VIDEO" ? node.readyState >= 2 : node.complete && node.naturalWidth > 0);
    for (let waited = 0; !loaded() && waited < 60_000; waited += 100) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return {
      ready: node.readyState ?? (loaded() ? 4 : 0),
      width: node.videoWidth ?? node.naturalWidth,
      height: node.videoHeight ?? node.naturalHeight,
      seconds: node.duration ?? 0,
      fits: node.getBoundingClientRect().right <= node.parentElement.getBoundingClientRect().right + 1,
    };
  });
}
