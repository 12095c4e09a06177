import { StoreError } from "../binlog_store.ts";
import type { FileRecord, HeadRecord } from "../block_engine.ts";
import type { LargeBytes, StoredBytes } from "./large_bytes.ts";

/** What the keys and values mean; another number is not ours to read. */
export const FORMAT_VERSION = 2;

/** The most entries Deno KV reads in one go. */
export const LIST_BATCH_MAX = 500;

/** The value of `["format"]`. */
export interface FormatValue {
  /** Always "kingbus". */
  readonly product: string;
  /** See `FORMAT_VERSION`. */
  readonly version: number;
}

/** The value of `["head"]`. */
export interface HeadValue extends Omit<HeadRecord, "executed" | "purged"> {
  /** As in `HeadRecord`, or where it is. */
  readonly executed: StoredBytes;
  /** As in `HeadRecord`, or where it is. */
  readonly purged: StoredBytes;
}

/** The value of `["file", n]`. */
export interface FileValue
  extends Omit<FileRecord, "previousGtids" | "formatDescription"> {
  /** As in `FileRecord`, or where it is. */
  readonly previousGtids: StoredBytes;
  /** As in `FileRecord`, or where it is. */
  readonly formatDescription: StoredBytes;
}

/** Reads the values of `KvEngine`'s layout, and writes nothing. */
export class KvLoader {
  readonly #kv: Deno.Kv;

  /** Reads from an open database. */
  constructor(kv: Deno.Kv) {
    this.#kv = kv;
  }

  /**
   * Checks that the database is one of ours; false when it is an empty one.
   *
   * @throws {StoreError} `format` when it is somebody else's, or of a version
   * that this code does not know
   */
  async hasFormat(): Promise<boolean> {
    const format = await this.#kv.get<FormatValue>(["format"]);
    if (format.value === null) {
      for await (const entry of this.#kv.list({ prefix: [] }, { limit: 1 })) {
        throw new StoreError(
          "format",
          `the database holds ${
            JSON.stringify(String(entry.key[0]))
          } and was not made by kingbus`,
        );
      }
      return false;
    }
    const { product, version } = format.value;
    // A newer version may have made a layout that this one would destroy.
    if (product !== "kingbus" || version !== FORMAT_VERSION) {
      throw new StoreError(
        "format",
        `the database has format ${product} ${version}, this version reads kingbus ${FORMAT_VERSION}`,
      );
    }
    return true;
  }

  /** The head as it is stored; undefined while there is none. */
  async headValue(): Promise<HeadValue | undefined> {
    return (await this.#kv.get<HeadValue>(["head"])).value ?? undefined;
  }

  /**
   * The records of the files, oldest first.
   *
   * @param large has the pieces of their byte strings
   * @param last leaves out those with higher numbers
   * @throws {StoreError} `corrupt` when pieces are missing
   */
  async files(large: LargeBytes, last = Infinity): Promise<FileRecord[]> {
    const files: FileRecord[] = [];
    const values = this.#kv.list<FileValue>({ prefix: ["file"] });
    for await (const { value } of values) {
      if (value.number <= last) files.push(resolveFile(value, large));
    }
    return files;
  }

  /** The pieces of the block that is not whole, in order: of one moment. */
  async tailPieces(): Promise<Uint8Array[]> {
    const pieces: Uint8Array[] = [];
    const values = this.#kv.list<Uint8Array>({ prefix: ["tail"] }, {
      batchSize: LIST_BATCH_MAX,
    });
    for await (const { value } of values) pieces.push(value);
    return pieces;
  }

  /** Blocks or summaries `first` … `first + count - 1`; see `BlockReads`. */
  async range(
    kind: "block" | "summary",
    first: number,
    count: number,
  ): Promise<readonly (Uint8Array | undefined)[]> {
    const found: (Uint8Array | undefined)[] = [];
    const entries = this.#kv.list<Uint8Array>({
      start: [kind, BigInt(first)],
      end: [kind, BigInt(first + count)],
    }, { batchSize: Math.min(count, LIST_BATCH_MAX), limit: count });
    for await (const { key, value } of entries) {
      const index = Number(key[1]) - first;
      while (found.length < index) found.push(undefined);
      found.push(value);
    }
    return found;
  }

  /** A value beside the log; undefined if there is none. */
  async meta(name: string): Promise<unknown> {
    const entry = await this.#kv.get(["meta", name]);
    return entry.versionstamp === null ? undefined : entry.value;
  }
}

/**
 * The head's record.
 *
 * @param large has the pieces of its byte strings
 * @throws {StoreError} `corrupt` when pieces are missing
 */
export function resolveHead(value: HeadValue, large: LargeBytes): HeadRecord {
  return {
    ...value,
    executed: large.resolve("executed", value.executed),
    purged: large.resolve("purged", value.purged),
  };
}

function resolveFile(value: FileValue, large: LargeBytes): FileRecord {
  const { previous, format } = stringOwners(value.number);
  return {
    ...value,
    previousGtids: large.resolve(previous, value.previousGtids),
    formatDescription: large.resolve(format, value.formatDescription),
  };
}

/** Names under which a file's byte strings are kept when they are large. */
export function stringOwners(
  file: number,
): { previous: string; format: string } {
  return { previous: `previous/${file}`, format: `format/${file}` };
}
