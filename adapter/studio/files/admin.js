// What an operator's key sees.
import { byId } from "./dom.js";

export async function showAdmin() {
  byId("admin").hidden = true;
}
