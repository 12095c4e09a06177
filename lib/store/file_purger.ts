import type { GtidSet } from "../gtid/gtid_set.ts";
import {
  type BlockSummary,
  type PurgeOptions,
  type PurgeResult,
  type StoredFile,
  StoreError,
} from "./binlog_store.ts";

/** What purging needs of the log. */
export interface PurgeHost {
  /**
   * The visible files, oldest first.
   *
   * @throws {StoreError} when the log can't be written any more
   */
  files(): readonly StoredFile[];
  /** The summary of a block before the one the head is in. */
  summary(number: number): BlockSummary | Promise<BlockSummary>;
  /** Commits the purge of the oldest file; see `BlockLogWriter.purgeFile`. */
  purgeFile(file: number, gone: GtidSet): Promise<void>;
  /** The blocks before block `end` belong to no file any more. */
  removeUpTo(end: number): void;
}

/** Removes whole files from the old end of the log. */
export class FilePurger {
  readonly #host: PurgeHost;
  #last: Promise<unknown> = Promise.resolve();

  /** @param host the log */
  constructor(host: PurgeHost) {
    this.#host = host;
  }

  /** See `BinlogStore.purge`. */
  purge(upTo: number, options: PurgeOptions = {}): Promise<PurgeResult> {
    const purged = this.#last.then(() => this.#purge(upTo, options));
    this.#last = purged.catch(() => {});
    return purged;
  }

  async #purge(upTo: number, options: PurgeOptions): Promise<PurgeResult> {
    const files: StoredFile[] = [];
    let bytes = 0;
    while (!options.signal?.aborted) {
      const [file, next] = this.#host.files();
      // The head is in the last one.
      if (file === undefined || next === undefined) break;
      if (file.number >= upTo) break;
      const gone = await this.#gone(file, next);
      await this.#host.purgeFile(file.number, gone);
      this.#host.removeUpTo(next.firstBlock);
      files.push(file);
      bytes += file.size;
    }
    return { files, bytes };
  }

  /**
   * The GTIDs of all that came before `next`. Its previous GTIDs have those of
   * `file` too, unless the source is one that announces none; so a damaged
   * summary is no reason to keep a damaged file.
   */
  async #gone(file: StoredFile, next: StoredFile): Promise<GtidSet> {
    const gone = next.previousGtids;
    for (let block = file.firstBlock; block < next.firstBlock; block++) {
      try {
        let summary = this.#host.summary(block);
        if (summary instanceof Promise) summary = await summary;
        gone.addSet(summary.began);
      } catch (error) {
        if (!(error instanceof StoreError) || error.kind !== "corrupt") {
          throw error;
        }
      }
    }
    return gone;
  }
}
