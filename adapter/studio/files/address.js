// Where the API is: beside this page, whatever folder a proxy serves it from.
const FOLDER = new URL(".", document.baseURI);

// The base URL of programs.
export const BASE_URL = new URL("v1", FOLDER).href;

export const apiUrl = (path) => `${BASE_URL}${path}`;

// A link of the API leads to the server's public address. The same file is beside this page, which may have another one.
export function mediaUrl(link) {
  return new URL(`media/${link.slice(link.lastIndexOf("/") + 1)}`, FOLDER).href;
}
