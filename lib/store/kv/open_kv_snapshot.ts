import { StoreError } from "../binlog_store.ts";
import type { FileRecord, HeadRecord } from "../block_engine.ts";
import { BlockSnapshot, type SnapshotSource } from "../block_snapshot.ts";
import type { BlockMemoryOptions } from "../block_source.ts";
import { concatBytes } from "../concat_bytes.ts";
import {
  type RecoveredLog,
  visibleFiles,
  wholeBlock,
} from "../log_recovery.ts";
import type { LogSnapshot } from "../log_snapshot.ts";
import { checkDatabase } from "./check_database.ts";
import { kvFault } from "./kv_fault.ts";
import { type HeadValue, KvLoader, resolveHead } from "./kv_loader.ts";
import { LargeBytes, type StoredBytes } from "./large_bytes.ts";
import { whileLocked } from "./while_locked.ts";
import { describeError } from "../../log/describe_error.ts";

/** Which log is read, and with how much memory. */
export interface KvSnapshotOptions extends BlockMemoryOptions {
  /** The database file. */
  readonly path: string;
}

/** How often the log is looked at anew when it changes meanwhile. */
const TRIES_MAX = 100;

/** Keys of files' byte strings, which do not change with the head. */
const FILE_STRINGS: Deno.KvListSelector = {
  start: ["bytes", "format/"],
  end: ["bytes", "previous0"],
};

/**
 * Opens the log in a Deno KV database to read it: as it is now, whether a
 * kingbus is writing it or not. It takes neither the lock nor the lease,
 * recovers nothing and writes nothing; after a crash it ends where the head is.
 * (SQLite itself may bring its write-ahead log into the database file when the
 * last process that has it open closes it.)
 *
 * @throws {StoreError} `io` when there is none or it can't be read, `format`
 * when it is not a kingbus log of this version, `corrupt` when it contradicts
 * itself
 */
export async function openKvSnapshot(
  options: KvSnapshotOptions,
): Promise<LogSnapshot> {
  const { path } = options;
  let source: KvSnapshotSource | undefined;
  try {
    checkDatabase(path, false);
    source = new KvSnapshotSource(await whileLocked(() => Deno.openKv(path)));
    const log = await source.load();
    return new BlockSnapshot(source, log, { store: path, ...options });
  } catch (error) {
    await source?.close();
    throw new StoreError(
      kvFault("", error, false).kind,
      `Cannot read the store ${path}: ${describeError(error)}`,
      { cause: error },
    );
  }
}

/** The log changed while it was looked at: look again. */
class Changed extends Error {
  override readonly name = "Changed";
}

/** `KvEngine`'s layout, read while another process may write it. */
class KvSnapshotSource implements SnapshotSource {
  readonly #kv: Deno.Kv;
  readonly #loader: KvLoader;
  #closed = false;

  constructor(kv: Deno.Kv) {
    this.#kv = kv;
    this.#loader = new KvLoader(kv);
  }

  /** Reads head, files and the head's block so that they fit together. */
  async load(): Promise<RecoveredLog> {
    if (!await this.#loader.hasFormat()) {
      throw new StoreError("format", "it is an empty database");
    }
    for (let tries = 1;; tries++) {
      try {
        return await this.#loadOnce();
      } catch (error) {
        if (tries >= TRIES_MAX || !mayHaveChanged(error)) throw error;
      }
    }
  }

  readBlocks(
    first: number,
    count: number,
  ): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#guard(
      `Cannot read block ${first} of the log`,
      () => this.#loader.range("block", first, count),
    );
  }

  readSummaries(
    first: number,
    count: number,
  ): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#guard(
      `Cannot read summary ${first} of the log`,
      () => this.#loader.range("summary", first, count),
    );
  }

  oldestFile(): Promise<number | undefined> {
    return this.#guard(
      "Cannot read the log",
      () => this.#loader.endOf("file", "lowest"),
    );
  }

  getMeta(name: string): Promise<unknown> {
    return this.#guard(
      `Cannot read ${name}`,
      () => this.#loader.meta(name),
    );
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#kv.close();
    }
    return Promise.resolve();
  }

  async #loadOnce(): Promise<RecoveredLog> {
    const value = await this.#loader.headValue();
    if (value === undefined) {
      return { head: undefined, files: [], kept: new Uint8Array(0) };
    }
    // The next commit may remove what this head names, so it comes first.
    const sets = new LargeBytes();
    for (const owner of ["executed", "purged", "mariadb"]) {
      await sets.load(this.#kv, { prefix: ["bytes", owner] });
    }
    const head = resolveHead(value, sets);
    const kept = await this.#headBlock(head);
    const files = await this.#files(head, value);
    // Files go together with a head that says so.
    const now = await this.#loader.headValue();
    if (now === undefined || !isSame(now.purged, value.purged)) {
      throw new Changed("the log was purged again and again meanwhile");
    }
    return { head, files, kept };
  }

  async #files(
    head: HeadRecord,
    value: HeadValue,
  ): Promise<readonly FileRecord[]> {
    const strings = new LargeBytes();
    await strings.load(this.#kv, FILE_STRINGS);
    const files = await this.#loader.files(
      strings,
      value,
      head.fileNumber,
    );
    return visibleFiles(files, head);
  }

  /**
   * What is before the head of the block the head is in. Pieces are only ever
   * added to it or put together, until it is whole, which it then stays; so
   * pieces that were read before it was whole are its own.
   */
  async #headBlock(head: HeadRecord): Promise<Uint8Array> {
    const before = await wholeBlock(this, head.block);
    if (before !== undefined) return cut(before, head);
    const pieces = this.#loader.tailPieces(head.block);
    // There may be those of a later block meanwhile.
    pieces.catch(() => {});
    await Promise.allSettled([pieces]);
    const after = await wholeBlock(this, head.block);
    return cut(after ?? concatBytes(await pieces), head);
  }

  async #guard<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw kvFault(what, error, this.#closed);
    }
  }
}

function mayHaveChanged(error: unknown): boolean {
  return error instanceof Changed ||
    error instanceof StoreError && error.kind === "corrupt";
}

function cut(block: Uint8Array, head: HeadRecord): Uint8Array {
  if (block.length >= head.offset) return block.slice(0, head.offset);
  throw new StoreError(
    "corrupt",
    `block ${head.block}, which the head is in, has ${block.length} bytes, expected at least ${head.offset}`,
  );
}

function isSame(one: StoredBytes, other: StoredBytes): boolean {
  if (one instanceof Uint8Array) {
    return other instanceof Uint8Array && one.length === other.length &&
      one.every((byte, at) => byte === other[at]);
  }
  return !(other instanceof Uint8Array) && one.generation === other.generation;
}
