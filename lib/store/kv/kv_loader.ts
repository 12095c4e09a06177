import { crc32 } from "node:zlib";
import { StoreError } from "../binlog_store.ts";
import { describeStored } from "../block_cache.ts";
import type { FileRecord, HeadRecord } from "../block_engine.ts";
import { damageError } from "../damage_error.ts";
import { openSealed } from "../sealed_bytes.ts";
import {
  filePlace,
  HEAD_PLACE,
  metaPlace,
  NAMES_PLACE,
  openRecord,
  tailPlace,
} from "./kv_record.ts";
import type { LargeBytes, StoredBytes } from "./large_bytes.ts";

/** What the keys and values mean; another number is not ours to read. */
const FORMAT_VERSION = 2;

/** The most entries Deno KV reads in one go. */
export const LIST_BATCH_MAX = 500;

/** The value of `["format"]`. */
export interface FormatValue {
  /** Always "kingbus". */
  readonly product: string;
  /** See `FORMAT_VERSION`. */
  readonly version: number;
  /** CRC-32 of both; version 1 has none. */
  readonly seal: number;
}

/** The value of `["head"]`. */
export interface HeadValue
  extends Omit<HeadRecord, "executed" | "purged" | "mariadb"> {
  /** Number of the oldest file: without it nobody would miss its record. */
  readonly oldestFile: number;
  /** As in `HeadRecord`, or where it is. */
  readonly executed: StoredBytes;
  /** As in `HeadRecord`, or where it is. */
  readonly purged: StoredBytes;
  /** As in `HeadRecord`, or where it is. */
  readonly mariadb?: StoredBytes;
}

/** The value of `["file", n]`. */
export interface FileValue
  extends
    Omit<FileRecord, "previousGtids" | "formatDescription" | "mariadbStart"> {
  /** As in `FileRecord`, or where it is. */
  readonly previousGtids: StoredBytes;
  /** As in `FileRecord`, or where it is. */
  readonly mariadbStart?: StoredBytes;
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
   * @throws {StoreError} `format` when it is somebody else's, or of another
   * version than this code reads; `corrupt` when that can't be told
   */
  async hasFormat(): Promise<boolean> {
    const { value: format } = await this.#kv.get(["format"]);
    if (isFormat(format)) {
      checkVersion(format);
      return true;
    }
    // A head that this code has sealed can be in nobody else's database.
    const { value: head } = await this.#kv.get(["head"]);
    if (openRecord(HEAD_PLACE, head) !== undefined) {
      throw damagedRecord("the format's record", format);
    }
    if (format !== null) throw foreign(`the format ${JSON.stringify(format)}`);
    for await (const { key } of this.#kv.list({ prefix: [] }, { limit: 1 })) {
      throw foreign(JSON.stringify(String(key[0])));
    }
    return false;
  }

  /**
   * The head as it is stored; undefined while the log is empty.
   *
   * @throws {StoreError} `corrupt` when it is missing or damaged
   */
  async headValue(): Promise<HeadValue | undefined> {
    const { value } = await this.#kv.get(["head"]);
    const opened = openRecord(HEAD_PLACE, value);
    if (opened === undefined) throw damagedRecord("the head's record", value);
    return opened.record === EMPTY_HEAD
      ? undefined
      : opened.record as HeadValue;
  }

  /**
   * The records of the files, oldest first.
   *
   * @param large has the pieces of their byte strings
   * @param head says which one is the oldest; undefined for an empty log
   * @param last leaves out those with higher numbers
   * @throws {StoreError} `corrupt` when a record is damaged, or pieces of its
   * byte strings are missing or damaged
   */
  async files(
    large: LargeBytes,
    head: HeadValue | undefined,
    last = Infinity,
  ): Promise<FileRecord[]> {
    const files: FileRecord[] = [];
    for await (const { number, stored, value } of this.fileValues()) {
      if (number > last) break;
      if (value === undefined) {
        throw damagedRecord(`the record of file ${number}`, stored);
      }
      files.push(resolveFile(value, large));
    }
    if (head !== undefined && files[0]?.number !== head.oldestFile) {
      throw damagedRecord(`the record of file ${head.oldestFile}`, undefined);
    }
    return files;
  }

  /** The records of the files as they are stored, oldest first. */
  async *fileValues(): AsyncGenerator<{
    /** The file's number, as the key has it. */
    readonly number: number;
    /** What is stored. */
    readonly stored: unknown;
    /** The record; undefined when it is damaged. */
    readonly value: FileValue | undefined;
  }> {
    const entries = this.#kv.list({ prefix: ["file"] }, {
      batchSize: LIST_BATCH_MAX,
    });
    for await (const { key, value: stored } of entries) {
      const number = Number(key[1]);
      const opened = openRecord(filePlace(number), stored);
      yield { number, stored, value: opened?.record as FileValue | undefined };
    }
  }

  /**
   * The pieces of the block that is not whole, in order: of one moment.
   *
   * @param block the block that they are of
   * @throws {StoreError} `corrupt` when one is missing or damaged
   */
  async tailPieces(block: number): Promise<Uint8Array[]> {
    const pieces: Uint8Array[] = [];
    const values = this.#kv.list({ prefix: ["tail"] }, {
      batchSize: LIST_BATCH_MAX,
    });
    for await (const { value } of values) {
      const piece = openSealed(tailPlace(block, pieces.length), value);
      if (piece === undefined) {
        throw damagedRecord(`piece ${pieces.length} of block ${block}`, value);
      }
      pieces.push(piece);
    }
    return pieces;
  }

  /**
   * The lowest or highest number that keys of that kind have; undefined without
   * any, or where that key is damaged.
   */
  async endOf(
    kind: "file" | "block",
    end: "lowest" | "highest",
  ): Promise<number | undefined> {
    const entries = this.#kv.list({ prefix: [kind] }, {
      reverse: end === "highest",
      limit: 1,
    });
    for await (const { key } of entries) {
      if (typeof key[1] === "bigint") return Number(key[1]);
    }
    return undefined;
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
      // A damaged key may be anything that sorts there.
      if (typeof key[1] !== "bigint" || key.length !== 2) continue;
      const index = Number(key[1]) - first;
      while (found.length < index) found.push(undefined);
      found[index] = value;
    }
    return found;
  }

  /**
   * A value beside the log; undefined if there is none.
   *
   * @throws {StoreError} `corrupt` when it is damaged, or was lost
   */
  async meta(name: string): Promise<unknown> {
    const { value, versionstamp } = await this.#kv.get(["meta", name]);
    if (versionstamp === null) {
      const names = await this.metaNames();
      if (!names.includes(name)) return undefined;
      // It may have been set meanwhile.
      const again = await this.#kv.get(["meta", name]);
      if (again.versionstamp !== null) return await this.meta(name);
      throw damagedRecord(`the value ${name}`, undefined);
    }
    const opened = openRecord(metaPlace(name), value);
    if (opened === undefined) throw damagedRecord(`the value ${name}`, value);
    return opened.record;
  }

  /**
   * The names of all values beside the log: nobody would miss one otherwise.
   *
   * @throws {StoreError} `corrupt` when they are missing or damaged
   */
  async metaNames(): Promise<readonly string[]> {
    const { value } = await this.#kv.get(["names"]);
    const opened = openRecord(NAMES_PLACE, value);
    if (opened === undefined) {
      throw damagedRecord("the list of values beside the log", value);
    }
    return opened.record as readonly string[];
  }
}

/** The value of `["format"]` of this version. */
export function formatValue(version: number = FORMAT_VERSION): FormatValue {
  return { product: "kingbus", version, seal: formatSeal(version) };
}

/**
 * Tells a damaged format from another one: versions from 2 on have the seal,
 * whatever else they change.
 */
function formatSeal(version: number): number {
  return crc32(`kingbus ${version}`);
}

/** Whether it is the format of a version of kingbus's, undamaged. */
function isFormat(stored: unknown): stored is FormatValue {
  const { product, version, seal } = Object(stored) as Partial<FormatValue>;
  if (product !== "kingbus" || typeof version !== "number") return false;
  return seal === undefined ? version === 1 : seal === formatSeal(version);
}

function checkVersion({ version }: FormatValue): void {
  if (version === FORMAT_VERSION) return;
  // A newer version may have made a layout that this one would destroy.
  throw new StoreError(
    "format",
    version > FORMAT_VERSION
      ? `the store has format ${version}, of a newer kingbus; this one reads format ${FORMAT_VERSION}: use the newer kingbus, or give this one another data-dir`
      : `the store has format ${version}, of an older kingbus; this one reads format ${FORMAT_VERSION}: give it another data-dir, where it fetches the log from the source anew`,
  );
}

function foreign(what: string): StoreError {
  return new StoreError(
    "format",
    `the database holds ${
      what.slice(0, 100)
    } and was not made by kingbus; choose another data-dir`,
  );
}

/** Stands in the head's place while the log is empty. */
export const EMPTY_HEAD = "empty";

/** Says that a record is not what was stored, and what to do. */
function damagedRecord(what: string, stored: unknown): StoreError {
  return damageError("the log is damaged", {
    what,
    how: describeStored(stored ?? undefined),
  });
}

/**
 * The head's record.
 *
 * @param large has the pieces of its byte strings
 * @throws {StoreError} `corrupt` when pieces are missing
 */
export function resolveHead(value: HeadValue, large: LargeBytes): HeadRecord {
  const { oldestFile: _, mariadb, ...record } = value;
  return {
    ...record,
    executed: large.resolve("executed", value.executed),
    purged: large.resolve("purged", value.purged),
    ...(mariadb && { mariadb: large.resolve("mariadb", mariadb) }),
  };
}

/**
 * A file's record.
 *
 * @param large has the pieces of its byte strings
 * @throws {StoreError} `corrupt` when pieces are missing or damaged
 */
export function resolveFile(value: FileValue, large: LargeBytes): FileRecord {
  const { previous, format, list } = stringOwners(value.number);
  const { mariadbStart, ...record } = value;
  return {
    ...record,
    previousGtids: large.resolve(previous, value.previousGtids),
    formatDescription: large.resolve(format, value.formatDescription),
    ...(mariadbStart && { mariadbStart: large.resolve(list, mariadbStart) }),
  };
}

/** Names under which a file's byte strings are kept when they are large. */
export function stringOwners(
  file: number,
): { previous: string; format: string; list: string } {
  return {
    previous: `previous/${file}`,
    format: `format/${file}`,
    list: `list/${file}`,
  };
}
