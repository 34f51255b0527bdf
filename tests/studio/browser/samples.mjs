// The code of several requests, as the page shows it.
import { enter, gallery, make, cards, order, visit } from "./person.mjs";

await visit(
  async (page) => {
    await enter(page);
    await page.getByLabel("Prompt").fill(order.prompt);
    await make(page);
    await gallery(page, 1);
    await cards(page).getByRole("button", { name: "Code" }).click();
    const shown = {};
    for (const language of ["curl", "Python", "Node"]) {
      await page.getByRole("radio", { name: language }).check();
      shown[language.toLowerCase()] = await page.locator("#sample").textContent();
    }
    const others = await page.evaluate(async (chosen) => {
      const { newWork, upscaleWork } = await import("/studio/works.js");
      const { sampleOf } = await import("/studio/samples.js");
      const { BASE_URL } = await import("/studio/address.js");
      const { listModels } = await import("/studio/api.js");
      const models = (await listModels()).data;
      const codeOf = (work) => Object.fromEntries(["curl", "python", "node"].map((language) => [language, sampleOf(language, work, BASE_URL)]));
      const works = chosen.map((each) => newWork({ ...each, model: models.find((model) => model.id === each.model) }, "here"));
      return [...works.map(codeOf), codeOf(upscaleWork({ id: "video_of_before", prompt: "" }, "1080p", "here"))];
    }, order.chosen);
    return [shown, ...others];
  },
  { refusals: [401] },
);
