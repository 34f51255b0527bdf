// A person orders a video, reloads the page meanwhile, plays it, uses a frame of it, makes it finer, and deletes it.
import { cards, enter, gallery, make, order, sent, visit } from "./person.mjs";

await visit(
  async (page) => {
    await enter(page);
    await page.getByRole("radio", { name: "Video", exact: true }).check();
    await page.getByLabel("Model").selectOption("veo-3.1-lite");
    await page.locator("#files").setInputFiles([
      { name: "first.png", mimeType: "image/png", buffer: Buffer.from(order.picture, "base64") },
      { name: "last.png", mimeType: "image/png", buffer: Buffer.from(order.picture, "base64") },
    ]);
    const uses = await page.locator("#use option").allTextContents();
    const lengths = await page.locator("#seconds option").allTextContents();
    const shapes = await page.locator("#shapes input").evaluateAll((inputs) => inputs.map((input) => input.value));
    await page.getByLabel("Length").selectOption("4");
    await page.getByRole("radio", { name: "9:16" }).check();
    await page.getByLabel("Prompt").fill(order.prompt);
    const cost = await page.locator("#cost").textContent();
    await sent(page, "/v1/videos", () => make(page));
    const bar = page.getByRole("progressbar", { name: order.prompt });
    await page.locator(".line .hint", { hasText: /Making the video: \d+ %/ }).waitFor();
    await page.reload();
    await bar.waitFor();
    const made = await gallery(page, 1);
    const said = await page.locator("#status").filter({ hasText: "ready" }).textContent();
    const facts = await cards(page).locator(".facts").textContent();
    const player = cards(page).locator("video");
    const played = await player.evaluate(async (video) => {
      video.muted = true;
      await video.play();
      video.pause();
      return [video.videoWidth < video.videoHeight, Math.round(video.duration)];
    });
    const [file] = await Promise.all([page.waitForEvent("download"), cards(page).getByRole("link", { name: "Download" }).click()]);
    const name = file.suggestedFilename();

    await cards(page).getByRole("button", { name: "Again" }).click();
    await page.locator("#attached li").nth(1).waitFor();
    const again = {
      prompt: await page.getByLabel("Prompt").inputValue(),
      pictures: await page.locator("#attached li").count(),
      seconds: await page.getByLabel("Length").inputValue(),
      shape: await page.locator('input[name="shape"]:checked').inputValue(),
      model: await page.getByLabel("Model").inputValue(),
    };
    await page.getByRole("button", { name: "Remove picture 1" }).click();
    await page.getByRole("button", { name: "Remove picture 1" }).click();
    await cards(page).getByRole("button", { name: "Use this frame as input" }).click();
    await page.locator("#attached li").waitFor();

    const finer = await sent(page, "/upscale", () => cards(page).getByRole("button", { name: "Make it 1080p (0 credits)" }).click());
    await bar.waitFor();
    await cards(page).getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await gallery(page, 0);
    await page.reload();
    await bar.waitFor();
    const left = await gallery(page, 0);
    return { uses, lengths, shapes, cost, made, said, facts, played, name, again, finer: finer.postDataJSON(), left };
  },
  { refusals: [401] },
);
