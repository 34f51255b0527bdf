// What an administrator's key sees: who made how much, and how the accounts at Google stand. It is asked for when it is opened.
import { ApiError, readUsage } from "./api.js";
import { byId, h } from "./dom.js";
import { money } from "./models.js";

const DAYS = 30;
const DAY_SECONDS = 86_400;
const REFUSED = [401, 403, 404];
const TIME = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

// It is kept until the page is left.
let adminKey = "";

byId("admin").addEventListener("toggle", () => byId("admin").open && show());

export function closeAdmin() {
  adminKey = "";
  byId("admin").open = false;
  byId("admin-parts").replaceChildren();
}

async function show() {
  const parts = byId("admin-parts");
  const isRetry = Boolean(adminKey);
  parts.replaceChildren(h("p", { class: "hint" }, "Loading …"));
  try {
    const [images, videos, costs, accounts] = await Promise.all([usage("usage/images"), usage("usage/videos"), usage("costs"), asked("accounts")]);
    const tables = [(images || costs) && usageTable(images, videos, costs), accounts && accountTable(accounts.data)].filter(Boolean);
    parts.replaceChildren(...(tables.length ? tables : [keyForm(isRetry)]));
    if (isRetry) (parts.querySelector("input, [tabindex]") ?? parts).focus();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    parts.replaceChildren(h("p", { class: "error", role: "alert" }, error.message));
  }
}

function keyForm(isRetry) {
  const input = h("input", { id: "admin-key", type: "password", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": "admin-hint" });
  const hint = "What every key made and spent, and how the accounts at Google stand, is for administrators. Their keys are those of access.admin_keys in the configuration, and those made with adapter keys create NAME --admin.";
  const submit = (event) => {
    event.preventDefault();
    adminKey = input.value.trim();
    show();
  };
  return h(
    "form",
    { class: "admin-form", onsubmit: submit },
    h("p", { class: "hint", id: "admin-hint" }, hint),
    h("div", { class: "field" }, h("label", { for: "admin-key" }, "Administrator's key"), input),
    isRetry && h("p", { class: "error", role: "alert" }, "This is no administrator's key, or this server has no such answers."),
    h("div", { class: "row" }, h("button", { type: "submit", class: "quiet" }, "Show")),
  );
}

// Returns an answer; null if this key may not have it, or this server has no such route.
async function asked(path) {
  try {
    return await readUsage(path, adminKey || undefined);
  } catch (error) {
    if (error instanceof ApiError && REFUSED.includes(error.status)) return null;
    throw error;
  }
}

// Returns all results of the last days.
async function usage(path) {
  const since = (Math.floor(Date.now() / 1000 / DAY_SECONDS) - DAYS + 1) * DAY_SECONDS;
  const page = await asked(`${path}?start_time=${since}&bucket_width=1d&limit=31&group_by=api_key_id`);
  return page && page.data.flatMap((bucket) => bucket.results);
}

function usageTable(images, videos, costs) {
  const keys = new Map();
  const row = (key) => keys.get(key ?? "") ?? keys.set(key ?? "", { pictures: 0, videos: 0, seconds: 0, dollars: 0, credits: 0, unpriced: 0 }).get(key ?? "");
  for (const result of images ?? []) row(result.api_key_id).pictures += result.images ?? 0;
  for (const result of videos ?? []) {
    row(result.api_key_id).videos += result.videos ?? 0;
    row(result.api_key_id).seconds += result.seconds ?? 0;
  }
  for (const { api_key_id: key, amount, credits, num_unpriced_requests: unpriced } of costs ?? []) {
    row(key).dollars += amount.value;
    row(key).credits += credits ?? 0;
    row(key).unpriced += unpriced ?? 0;
  }
  const rows = [...keys].sort(([one], [two]) => one.localeCompare(two)).map(([key, sums]) => [key || "–", sums.pictures, sums.videos, sums.seconds, inMoney(sums)]);
  return table(`Usage by key, the last ${DAYS} days`, ["Key", "#Pictures", "#Videos", "#Seconds", "#Cost"], rows, "Nothing was made.");
}

function inMoney({ dollars, credits, unpriced }) {
  const sums = [dollars && money(dollars, "USD"), credits && money(credits, "credits"), unpriced && `${unpriced} of unknown price`];
  return sums.filter(Boolean).join(" + ") || "–";
}

function accountTable(accounts) {
  const rows = accounts.map((each) => [
    `${each.provider}/${each.name}`,
    each.health,
    each.credits ?? "–",
    each.tier ?? "–",
    each.calls ?? 0,
    each.rests_until ? TIME.format(each.rests_until * 1000) : "–",
    each.error_at ? `${each.error_code}: ${each.error}` : "–",
  ]);
  return table("Accounts and keys at Google", ["Account", "Health", "#Credits", "Tier", "#Calls", "Rests until", "Last error"], rows, "There are none.");
}

// A heading that begins with # is of numbers.
function table(caption, headings, rows, empty) {
  const kind = (index) => (headings[index].startsWith("#") ? "number" : null);
  const head = headings.map((heading, index) => h("th", { scope: "col", class: kind(index) }, heading.replace("#", "")));
  const cells = (row) => row.map((cell, index) => (index ? h("td", { class: kind(index) }, String(cell)) : h("th", { scope: "row" }, cell)));
  const body = rows.length ? rows.map((row) => h("tr", {}, cells(row))) : [h("tr", {}, h("td", { colspan: headings.length }, empty))];
  return h("div", { class: "table", tabindex: 0, role: "region", "aria-label": caption }, h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)));
}
