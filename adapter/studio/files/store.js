// What stays in this browser: pictures, requests under way, and the requests of videos (IndexedDB).
const NAME = "adapter-studio";
const STORES = ["pictures", "works", "requests"];

// Without IndexedDB everything is there until the page is left.
const inMemory = Object.fromEntries(STORES.map((name) => [name, new Map()]));

let opened;

function open() {
  opened ??= new Promise((resolve) => {
    const request = globalThis.indexedDB?.open(NAME, 1);
    if (!request) return resolve(null);
    request.onupgradeneeded = () => {
      for (const name of STORES) request.result.createObjectStore(name, { keyPath: "id" }).createIndex("scope", "scope");
    };
    request.onsuccess = () => {
      // A person who deletes the data of this site closes it. What comes afterwards is kept in a new one.
      const forget = () => {
        request.result.close();
        opened = undefined;
      };
      request.result.onclose = request.result.onversionchange = forget;
      resolve(request.result);
    };
    request.onerror = () => resolve(null);
  }).catch(() => null);
  return opened;
}

async function asked(name, mode, ask, instead) {
  const database = await open();
  if (!database) return instead(inMemory[name]);
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(name, mode);
    const request = ask(transaction.objectStore(name));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error ?? request.error);
  });
}

export const isLasting = async () => (await open()) !== null;

export const put = (name, record) =>
  asked(name, "readwrite", (store) => store.put(record), (map) => map.set(record.id, record));

export const get = (name, id) =>
  asked(name, "readonly", (store) => store.get(id), (map) => map.get(id));

export const remove = (name, id) =>
  asked(name, "readwrite", (store) => store.delete(id), (map) => map.delete(id));

export const all = (name, scope) =>
  asked(
    name,
    "readonly",
    (store) => store.index("scope").getAll(scope),
    (map) => [...map.values()].filter((each) => each.scope === scope),
  );
