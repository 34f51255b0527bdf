// What every journey needs: where the adapter is, a fetch that keeps what came back, and a way to report both.
// The Python side holds the answers against OpenAI's schemas.

export const baseURL = process.env.ADAPTER_URL;
export const apiKey = process.env.ADAPTER_KEY;
// What the journey is about, from the test.
export const order = JSON.parse(process.argv[2] ?? "{}");

const kept = [];

export async function watchedFetch(url, init) {
  const response = await fetch(url, init);
  // The official client asks `data:,` to learn what this fetch can do with forms.
  if (String(url).startsWith(new URL(baseURL).origin)) kept.push(keep(init?.method ?? "GET", new URL(url), response.clone()));
  return response;
}

async function keep(method, url, response) {
  return {
    method,
    path: url.pathname,
    status: response.status,
    content_type: response.headers.get("content-type") ?? "",
    body: Buffer.from(await response.arrayBuffer()).toString("base64"),
  };
}

export async function report(result) {
  console.log(JSON.stringify({ result, answers: await Promise.all(kept) }));
}
