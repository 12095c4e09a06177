import { StoreError } from "../binlog_store.ts";
import type { FileRecord, HeadRecord } from "../block_engine.ts";
import { describeStored } from "../block_cache.ts";
import { concatBytes } from "../concat_bytes.ts";
import type {
  Found,
  FoundRecords,
  VerifySource,
} from "../verify/verify_source.ts";
import { checkDatabase } from "./check_database.ts";
import { kvFault } from "./kv_fault.ts";
import {
  type HeadValue,
  KvLoader,
  resolveFile,
  resolveHead,
} from "./kv_loader.ts";
import { metaPlace, openRecord } from "./kv_record.ts";
import { LargeBytes } from "./large_bytes.ts";
import { ValueTypes } from "./value_types.ts";
import { whileLocked } from "./while_locked.ts";

/** How often the records are read anew while the log is purged meanwhile. */
const TRIES_MAX = 100;

/**
 * The log in a Deno KV database as it is found, damage and all: for checking
 * it. Reads beside a process that has it open, and writes nothing.
 */
export class KvVerifySource implements VerifySource, AsyncDisposable {
  readonly #kv: Deno.Kv;
  readonly #loader: KvLoader;
  readonly #types: ValueTypes;
  readonly #faults: string[] = [];
  #closed = false;

  private constructor(kv: Deno.Kv, types: ValueTypes) {
    this.#kv = kv;
    this.#types = types;
    this.#loader = new KvLoader(kv);
  }

  /**
   * Opens a database.
   *
   * @param path the database file
   * @throws {StoreError} `format` when it is not a kingbus log of this version,
   * `corrupt` when not even that can be told, `io` when it can't be read
   */
  static async open(path: string): Promise<KvVerifySource> {
    try {
      checkDatabase(path, false);
      const kv = await whileLocked(() => Deno.openKv(path));
      const source = new KvVerifySource(kv, new ValueTypes(path));
      try {
        await source.#checkFormat();
        return source;
      } catch (error) {
        await source.close();
        throw error;
      }
    } catch (error) {
      const fault = kvFault("Cannot open", error, false);
      throw new StoreError(
        fault.kind,
        `Cannot read the store ${path}: ${fault.message}`,
        { cause: error },
      );
    }
  }

  records(ignoresHead = false): Promise<FoundRecords> {
    return this.#guard("Cannot read the log", async () => {
      for (let tries = 1;; tries++) {
        const before = ignoresHead
          ? { fault: "is not believed" }
          : await this.#headValue();
        const found = await this.#records(before);
        const now = await this.#headValue();
        if (tries === TRIES_MAX || isSameAge(before, now)) return found;
      }
    });
  }

  readBlocks(
    first: number,
    count: number,
  ): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#guard(
      `Cannot read block ${first} of the log`,
      () => this.#range("block", first, count),
    );
  }

  readSummaries(
    first: number,
    count: number,
  ): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#guard(
      `Cannot read summary ${first} of the log`,
      () => this.#range("summary", first, count),
    );
  }

  oldestFile(): Promise<number | undefined> {
    return this.#guard(
      "Cannot read the log",
      () => this.#loader.endOf("file", "lowest"),
    );
  }

  /** Lets go of the database. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#kv.close();
      this.#types.close();
    }
    return Promise.resolve();
  }

  /** See `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #range(
    kind: "block" | "summary",
    first: number,
    count: number,
  ): Promise<readonly (Uint8Array | undefined)[]> {
    this.#types.check(kind, first, count);
    return this.#loader.range(kind, first, count);
  }

  async #checkFormat(): Promise<void> {
    const isOurs = await found(() => this.#loader.hasFormat());
    if ("fault" in isOurs) {
      // Whatever is sealed as this version does it is of this version.
      const head = await found(() => this.#loader.headValue());
      if ("fault" in head) throw isOurs.cause;
      this.#faults.push("The format's record is damaged");
    } else if (!isOurs.value) {
      throw new StoreError("format", "it is an empty database");
    }
  }

  /** The head as it is stored, or what is wrong with it. */
  #headValue(): Promise<Found<HeadValue | undefined>> {
    return found(() => this.#loader.headValue());
  }

  async #records(
    stored: Found<HeadValue | undefined>,
  ): Promise<FoundRecords> {
    const large = new LargeBytes();
    await large.load(this.#kv);
    const value = "value" in stored ? stored.value : undefined;
    const head: Found<HeadRecord> | undefined = "fault" in stored
      ? stored
      : value && await found(() => resolveHead(value, large));
    const files = new Map<number, Found<FileRecord>>();
    // Of the oldest ones nothing may be left.
    const first = value?.oldestFile ?? Infinity;
    for await (const file of this.#loader.fileValues()) {
      if (!Number.isSafeInteger(file.number)) continue;
      if (file.number > first && files.size === 0) {
        files.set(first, { fault: describeStored(undefined) });
      }
      files.set(
        file.number,
        file.value === undefined
          ? { fault: describeStored(file.stored) }
          : await found(() => resolveFile(file.value!, large)),
      );
    }
    const newest = await this.#loader.endOf("block", "highest") ?? -1;
    const tailBlock = head === undefined || "fault" in head
      ? newest + 1
      : head.value.block;
    return {
      head,
      files,
      tail: await this.#tail(tailBlock),
      oldestBlock: await this.#loader.endOf("block", "lowest"),
      damagedMeta: await this.#damagedMeta(),
      faults: this.#faults,
    };
  }

  async #tail(block: number): Promise<Found<Uint8Array> | undefined> {
    const pieces = await found(() => this.#loader.tailPieces(block));
    if ("fault" in pieces) return pieces;
    if (pieces.value.length === 0) return undefined;
    return { value: concatBytes(pieces.value) };
  }

  async #damagedMeta(): Promise<string[]> {
    const damaged: string[] = [];
    const sound = new Set<string>();
    for await (const { key, value } of this.#kv.list({ prefix: ["meta"] })) {
      const name = String(key[1]);
      if (openRecord(metaPlace(name), value) === undefined) damaged.push(name);
      else sound.add(name);
    }
    const names = await found(() => this.#loader.metaNames());
    if ("fault" in names) return [...damaged, "(the list of names)"];
    for (const name of names.value) {
      if (!sound.has(name) && !damaged.includes(name)) damaged.push(name);
    }
    return damaged;
  }

  async #guard<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw kvFault(what, error, this.#closed);
    }
  }
}

/** What `read` answers, or what it says is wrong. */
async function found<T>(
  read: () => T | Promise<T>,
): Promise<
  { readonly value: T } | { readonly fault: string; readonly cause: StoreError }
> {
  try {
    return { value: await read() };
  } catch (error) {
    if (!(error instanceof StoreError) || error.kind !== "corrupt") throw error;
    return { fault: `can't be read: ${error.message}`, cause: error };
  }
}

/** Whether nothing was purged between two heads. */
function isSameAge(
  one: Found<HeadValue | undefined>,
  other: Found<HeadValue | undefined>,
): boolean {
  if ("fault" in one || "fault" in other) return true;
  return one.value?.oldestFile === other.value?.oldestFile;
}
