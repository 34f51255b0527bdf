// The person's key: for this tab, or for this device if they say so.
const NAME = "adapter.key";

// A browser may refuse both stores. Then the key is kept until the page is left.
let inMemory = "";

export function readKey() {
  return from("sessionStorage") || from("localStorage") || inMemory;
}

export const isRemembered = () => Boolean(from("localStorage"));

export function keepKey(key, isForDevice) {
  forgetKey();
  inMemory = key;
  to(isForDevice ? "localStorage" : "sessionStorage", (store) => store.setItem(NAME, key));
}

export function forgetKey() {
  inMemory = "";
  for (const store of ["sessionStorage", "localStorage"]) to(store, (each) => each.removeItem(NAME));
}

// A label for what belongs to a key in this browser. It is no secret and no proof: it keeps the galleries of two keys apart.
export function scopeOf(key) {
  let one = 0xdeadbeef;
  let two = 0x41c6ce57;
  for (const letter of key) {
    one = Math.imul(one ^ letter.codePointAt(0), 2654435761);
    two = Math.imul(two ^ letter.codePointAt(0), 1597334677);
  }
  return key ? (two >>> 0).toString(36) + (one >>> 0).toString(36) : "open";
}

function from(store) {
  let found = "";
  to(store, (each) => {
    found = each.getItem(NAME) ?? "";
  });
  return found;
}

function to(store, use) {
  try {
    use(globalThis[store]);
  } catch {
    // The browser refuses it.
  }
}
