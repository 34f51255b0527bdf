// Requests under way, and the pictures that they brought. Both stay in this browser: a request goes on after a reload.
import { ApiError, send } from "./api.js";
import { all, put, remove } from "./store.js";

// The server knows a request for a day by its key. Later it would be a new one, and cost again.
const KNOWN_MILLISECONDS = 23 * 3600 * 1000;
const TOO_OLD = "It was not answered, and it is too old to ask for its answer.";

export class Works {
  // Calls `changed` after each change, `finished` with a work and its answer, and `failed` with a work.
  constructor({ changed, finished, failed }) {
    this.works = new Map();
    Object.assign(this, { changed, finished, failed });
  }

  // Sends again what an earlier visit left. Each has its key, so nothing is made twice.
  async resume(scope) {
    this.works.clear();
    for (const work of await all("works", scope).catch(() => [])) {
      const isTooOld = Date.now() - work.startedAt > KNOWN_MILLISECONDS;
      this.works.set(work.id, isTooOld ? { ...work, error: TOO_OLD, isUnanswered: false } : work);
      if (!work.error && !isTooOld) this.#run(work);
    }
    this.changed();
  }

  async start(work) {
    this.works.set(work.id, work);
    this.changed();
    await kept("works", work);
    this.#run(work);
  }

  async dismiss(id) {
    this.works.delete(id);
    this.changed();
    await remove("works", id).catch(() => null);
  }

  async #run(work) {
    try {
      const answer = await send(work);
      await this.finished(work, answer);
      if (this.works.get(work.id) === work) await this.dismiss(work.id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (this.works.get(work.id) !== work) return;
      const failed = { ...work, error: error.message, isUnanswered: error.isRetryable };
      this.works.set(work.id, failed);
      await kept("works", failed);
      this.changed();
      this.failed(failed, error);
    }
  }
}

// Returns the pictures of an answer, stored.
export async function keepPictures(work, answer) {
  const count = answer.data.length;
  const each = answer.usage?.cost === undefined ? undefined : { cost: answer.usage.cost / count };
  const pictures = answer.data.map((picture, index) => ({
    id: `${work.id}-${index}`,
    scope: work.scope,
    createdAt: work.startedAt + index,
    blob: blobOf(picture.b64_json, `image/${answer.output_format}`),
    size: answer.size,
    usage: each,
    work: { ...work, error: undefined },
  }));
  for (const picture of pictures) await kept("pictures", picture);
  return pictures;
}

// A full disk is no reason to lose what was made: it is shown all the same.
async function kept(store, record) {
  try {
    await put(store, record);
  } catch {
    record.isUnstored = true;
  }
}

function blobOf(base64, type) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return new Blob([bytes], { type });
}
