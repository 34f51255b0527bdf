// What the models can do and cost, from the answer of GET /v1/models. No page, no network.

export const ofKind = (models, kind) =>
  models.filter((model) => model.options && model.architecture.output_modalities.includes(kind));

// What a number of pictures can be used as in a video: pairs of a mode's name and a text.
const USES = {
  text: [0, 0, ""],
  frame: [1, 1, "First frame"],
  frames: [2, 2, "First and last frame"],
  references: [1, Infinity, "Reference pictures"],
};

export function usesOf(model, pictures) {
  return (model.options.modes ?? [])
    .map((mode) => [mode.input, USES[mode.input]])
    .filter(([, use]) => use && pictures >= use[0] && pictures <= use[1])
    .map(([input, use]) => [input, use[2]]);
}

export const modeOf = (model, input) => model.options.modes?.find((mode) => mode.input === input);

export const rolesOf = (use, pictures) =>
  use === "references" ? Array(pictures).fill("reference_image") : ["first_frame", "last_frame"].slice(0, pictures);

// What an order costs, as a text; "" if the price is not known. A clip that goes on after another has a price of its own.
export function costOf(model, { resolution, seconds, count = 1, use }) {
  const prices = model.prices ?? [];
  const wanted = resolution || model.options.resolution;
  const of = (per) => prices.find((price) => price.per === per && (price.of ?? wanted) === wanted);
  const clip = of(use === "extend" ? "extension" : "clip");
  const second = of("second");
  const picture = of("picture");
  if (clip) return money(clip.amount * count, clip.currency);
  if (second) return money(second.amount * (seconds ?? model.options.seconds) * count, second.currency);
  if (picture) return money(picture.amount * count, picture.currency);
  return "";
}

export const upscaleCost = (model, resolution) => {
  const price = model.prices?.find((each) => each.per === "upscale" && each.of === resolution);
  return price ? money(price.amount, price.currency) : "";
};

const DOLLARS = new Intl.NumberFormat("en", { style: "currency", currency: "USD", maximumFractionDigits: 4 });
const NUMBER = new Intl.NumberFormat("en");

export function money(amount, currency) {
  return currency === "credits" ? `${NUMBER.format(amount)} ${amount === 1 ? "credit" : "credits"}` : DOLLARS.format(amount);
}

// What the answer of a request says about its cost.
export function spent(usage) {
  if (usage?.cost !== undefined) return money(usage.cost, "USD");
  return usage?.credits === undefined ? "" : money(usage.credits, "credits");
}

// The ratio of a size such as 1280x720, or the nearest one of those that a model has.
export function ratioOf(size, ratios) {
  const [width, height] = size.split("x").map(Number);
  const distance = (ratio) => {
    const [a, b] = ratio.split(":").map(Number);
    return Math.abs(Math.log((width / height) * (b / a)));
  };
  return [...ratios].sort((one, two) => distance(one) - distance(two))[0] ?? "";
}
