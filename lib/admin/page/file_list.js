// @ts-check
/** @import { LiveStatus } from "../live/live_status.ts" */

/** @typedef {LiveStatus["files"][number]} ShownFile */

/**
 * The files. The stream tells of the newest; all of them are asked for when
 * somebody wants to see them all, and then kept up to date by it: files are
 * added at the end and go from the begin.
 */
export class FileList {
  #load;
  /** @type {readonly ShownFile[] | undefined} */
  #all;

  /** @param {() => Promise<readonly ShownFile[]>} load asks for all */
  constructor(load) {
    this.#load = load;
  }

  /**
   * Those that are known now.
   *
   * @param {LiveStatus} status
   * @returns {readonly ShownFile[]} oldest first
   */
  rows({ files, store }) {
    if (files.length >= store.files || this.#all === undefined) return files;
    const first = files[0]?.name;
    const place = this.#all.findLastIndex(({ name }) => name === first);
    // So much has come meanwhile that nothing of what was known is known to be
    // next to it: as if nothing was.
    if (place < 0) {
      this.#all = undefined;
      return files;
    }
    const all = [...this.#all.slice(0, place), ...files].slice(-store.files);
    this.#all = all;
    return all;
  }

  /** Asks for all of them. */
  async loadAll() {
    this.#all = await this.#load();
  }
}
