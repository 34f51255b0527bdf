// Small helpers for elements. Texts become text nodes, never markup.
export const byId = (id) => document.getElementById(id);

// Returns a new element. `on…` are listeners, other names attributes; true stands for an empty one, and null and false for none.
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

// A rectangle of a ratio such as 16:9.
export function shapeIcon(ratio) {
  const [width, height] = ratio.split(":").map(Number);
  const scale = 16 / Math.max(width, height);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", "shape-icon");
  svg.setAttribute("aria-hidden", "true");
  const rect = document.createElementNS(SVG, "rect");
  const sides = { width: Math.max(3, width * scale), height: Math.max(3, height * scale) };
  const place = { x: 10 - sides.width / 2, y: 10 - sides.height / 2, rx: 1.5 };
  for (const [name, value] of Object.entries({ ...sides, ...place })) rect.setAttribute(name, value);
  svg.append(rect);
  return svg;
}

// Says something to a screen reader without moving the focus.
export function announce(text) {
  byId("status").textContent = "";
  setTimeout(() => {
    byId("status").textContent = text;
  }, 50);
}

export function showError(element, text) {
  element.textContent = text;
  element.hidden = !text;
}

// Puts elements into a parent in this order. It moves as few as it can: a video that is moved stops.
export function arrange(parent, elements) {
  const wanted = new Set(elements);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  elements.forEach((element, index) => {
    if (parent.children[index] !== element) parent.insertBefore(element, parent.children[index] ?? null);
  });
}

export const checked = (name) => document.querySelector(`input[name="${name}"]:checked`)?.value;

// Fills a select with pairs of a value and a text, and keeps the choice if it is still there.
export function fill(select, pairs, preferred) {
  const before = select.value;
  select.replaceChildren(...pairs.map(([value, text]) => h("option", { value }, text)));
  const values = pairs.map(([value]) => String(value));
  select.value = values.includes(before) ? before : String(preferred ?? values[0] ?? "");
}
