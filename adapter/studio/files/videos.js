// The person's videos, as the server has them. While one is being made, the list is read often.
import { ApiError, deleteVideo, findVideo, listVideos } from "./api.js";

const BUSY_MILLISECONDS = 1500;
const IDLE_MILLISECONDS = 15000;

const isRunning = (video) => video.status === "queued" || video.status === "in_progress";

export class Videos {
  // Calls `changed` after each change, `ended` with a video that was finished or failed, and `failed` with an error.
  constructor({ changed, ended, failed }) {
    this.videos = new Map();
    this.deleted = new Set();
    this.hasMore = false;
    this.last = null;
    Object.assign(this, { changed, ended, failed });
    document.addEventListener("visibilitychange", () => document.hidden || this.#soon(0));
  }

  get running() {
    return [...this.videos.values()].filter(isRunning);
  }

  get finished() {
    return [...this.videos.values()].filter((video) => !isRunning(video));
  }

  // Begins anew, for another key.
  async open() {
    this.videos.clear();
    this.last = null;
    this.hasMore = false;
    await this.#refresh();
  }

  close() {
    clearTimeout(this.timer);
    this.videos.clear();
    this.round = null;
  }

  add(video) {
    this.#take([video]);
    this.changed();
    this.#soon(BUSY_MILLISECONDS);
  }

  async older() {
    const page = await listVideos(this.last);
    this.#turn(page);
    this.#take(page.data);
    this.changed();
  }

  async delete(id) {
    this.deleted.add(id);
    try {
      await deleteVideo(id);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) {
        this.deleted.delete(id);
        throw error;
      }
    }
    this.videos.delete(id);
    this.changed();
  }

  async #refresh() {
    const round = {};
    this.round = round;
    try {
      const page = await listVideos();
      const listed = new Set(page.data.map((video) => video.id));
      const others = this.running.filter((video) => !listed.has(video.id));
      const found = await Promise.all(others.map((video) => findVideo(video.id).catch(() => video)));
      if (this.round !== round) return;
      if (this.last === null) this.#turn(page);
      this.#take([...page.data, ...found]);
      this.failed(null);
      this.changed();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (this.round !== round) return;
      this.failed(error);
    }
    this.#soon(this.running.length > 0 && !document.hidden ? BUSY_MILLISECONDS : IDLE_MILLISECONDS);
  }

  #turn(page) {
    this.last = page.last_id;
    this.hasMore = page.has_more;
  }

  #take(videos) {
    for (const video of videos) {
      if (this.deleted.has(video.id)) continue;
      const before = this.videos.get(video.id);
      if (before && !isRunning(before)) continue;
      this.videos.set(video.id, video);
      if (before && !isRunning(video)) this.ended(video);
    }
  }

  #soon(milliseconds) {
    clearTimeout(this.timer);
    if (this.round) this.timer = setTimeout(() => this.#refresh(), milliseconds);
  }
}
