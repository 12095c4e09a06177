import type {
  BlockEngine,
  EngineBatch,
  EngineDiskUse,
  EngineState,
  FileRecord,
  HeadRecord,
  TailPiece,
} from "../block_engine.ts";
import { StoreError } from "../binlog_store.ts";
import { concatBytes } from "../concat_bytes.ts";
import { sealBytes } from "../sealed_bytes.ts";
import type { DatabaseFile } from "./database_file.ts";
import { fencedError, KvBatch } from "./kv_batch.ts";
import { kvFault } from "./kv_fault.ts";
import {
  EMPTY_HEAD,
  type FileValue,
  formatValue,
  type HeadValue,
  KvLoader,
  LIST_BATCH_MAX,
  resolveFile,
  resolveHead,
  stringOwners,
} from "./kv_loader.ts";
import {
  filePlace,
  HEAD_PLACE,
  metaPlace,
  NAMES_PLACE,
  sealRecord,
  tailPlace,
} from "./kv_record.ts";
import { LargeBytes } from "./large_bytes.ts";
import { whileLocked } from "./while_locked.ts";

/** Keys removed in one commit: reads wait for it. */
const KEYS_REMOVED_AT_ONCE = 128;

/**
 * Pages changed by removing and giving back before a checkpoint takes them into
 * the database. Deno KV's own comes after a thousand, and whoever reads or
 * commits waits until so many different ones are written and synced.
 */
const CHANGED_PAGES_MAX = 256;

/** About how many pages removing a block changes. */
const PAGES_PER_BLOCK = 0.75;

/** About what the format's record takes. */
const FORMAT_BYTES = 100;

/**
 * Blocks in Deno KV. Sequence parts of keys are bigints, which sort by value.
 * All values but those of format and lease are sealed: see `sealBytes`.
 *
 * | key | value |
 * |---|---|
 * | `["format"]` | product and version of this layout |
 * | `["lease"]` | who writes; its versionstamp is checked by every commit |
 * | `["head"]` | the head; says so while the log is empty |
 * | `["file", n]` | a binlog file |
 * | `["block", n]` | a whole block's bytes |
 * | `["summary", n]` | its summary, in the same commit |
 * | `["tail", k]` | pieces of the block that is not whole yet |
 * | `["bytes", owner, g, k]` | pieces of a GTID set too large for its record |
 * | `["meta", name]` | values beside the log |
 * | `["names"]` | the names of those |
 */
export class KvEngine implements BlockEngine {
  readonly #kv: Deno.Kv;
  readonly #loader: KvLoader;
  readonly #owner: string;
  readonly #release: () => void;
  readonly #database: DatabaseFile | undefined;
  #large = new LargeBytes();
  #lease: string | null = null;
  #tailBlock = -1;
  #tailPieces = 0;
  #oldestFile = 1;
  // Of the values beside the log.
  #names: ReadonlySet<string> = new Set();
  #settingMeta: Promise<void> = Promise.resolve();
  // Commits of the log under way.
  #committing = 0;
  // Pages changed by removing and giving back that are in no checkpoint yet.
  #changedPages = 0;
  #closed = false;

  /**
   * An engine that has not loaded anything yet.
   *
   * @param kv an open database, owned by the engine from now on
   * @param owner who takes the lease, for the eyes of an operator
   * @param release called when the engine was closed
   * @param database the database's file, if it is one
   */
  constructor(
    kv: Deno.Kv,
    owner: string,
    release: () => void = () => {},
    database?: DatabaseFile,
  ) {
    this.#kv = kv;
    this.#loader = new KvLoader(kv);
    this.#owner = owner;
    this.#release = release;
    this.#database = database;
  }

  load(): Promise<EngineState> {
    return this.#guard("Cannot open the log", async () => {
      await this.#takeFormat();
      await this.#takeLease();
      // What it knew is no more than what a commit was to make true.
      this.#large = new LargeBytes();
      await this.#large.load(this.#kv);
      const stored = await this.#loader.headValue();
      const head = stored && resolveHead(stored, this.#large);
      this.#oldestFile = stored?.oldestFile ?? 1;
      const files = await this.#loader.files(this.#large, stored);
      this.#names = new Set(await this.#loader.metaNames());
      this.#large.removeOrphans();
      const tail = await this.#loadTail(head);
      // A block's summary stands for it, being far smaller.
      const oldestBlock = await this.#outermost("summary", "oldest");
      const newestBlock = await this.#outermost("summary", "newest");
      return { head, files, tail, oldestBlock, newestBlock };
    });
  }

  /**
   * Takes the lease of a log that `load` refuses because it is damaged, so that
   * commits can make it right. What is damaged of its records has to be written
   * or removed by them; until then nothing but commits works.
   *
   * @returns numbers of the newest blocks and summaries that there are
   * @throws {StoreError} `io`
   */
  salvage(): Promise<number> {
    return this.#guard("Cannot repair the log", async () => {
      const owner = { owner: this.#owner, token: crypto.randomUUID() };
      const lease = await whileLocked(() => this.#kv.set(["lease"], owner));
      this.#lease = lease.versionstamp;
      await this.#large.load(this.#kv);
      const stored = await ifSound(() => this.#loader.headValue());
      if (stored !== undefined) {
        await ifSound(() => resolveHead(stored, this.#large));
      }
      let oldest: number | undefined;
      for await (const { number, value } of this.#loader.fileValues()) {
        oldest ??= number;
        if (value === undefined) continue;
        await ifSound(() => resolveFile(value, this.#large));
      }
      this.#large.removeOrphans();
      this.#oldestFile = stored?.oldestFile ?? oldest ?? 1;
      for await (const { key } of this.#kv.list({ prefix: ["tail"] })) {
        this.#tailPieces = Math.max(this.#tailPieces, Number(key[1]) + 1);
      }
      return Math.max(
        await this.#outermost("block", "newest") ?? -1,
        await this.#outermost("summary", "newest") ?? -1,
      );
    });
  }

  /**
   * After `salvage`: writes the format anew, removes values beside the log, and
   * makes the log empty if it is to be.
   *
   * @param damagedMeta names of the values that go
   * @param isEmpty whether nothing of the log is left
   * @throws {StoreError} `fenced` or `io`
   */
  restore(damagedMeta: readonly string[], isEmpty: boolean): Promise<void> {
    return this.#guard("Cannot repair the log", async () => {
      const batch = this.#newBatch();
      batch.set(["format"], formatValue(), FORMAT_BYTES);
      const names: string[] = [];
      for await (const { key } of this.#kv.list({ prefix: ["meta"] })) {
        const name = String(key[1]);
        if (damagedMeta.includes(name)) batch.delete(key);
        else names.push(name);
      }
      const sealed = sealRecord(NAMES_PLACE, names);
      batch.set(["names"], sealed, sealed.length);
      if (isEmpty) {
        const head = sealRecord(HEAD_PLACE, EMPTY_HEAD);
        batch.set(["head"], head, head.length);
      }
      await batch.commit();
    });
  }

  async commit(batch: EngineBatch): Promise<void> {
    this.#committing++;
    try {
      await this.#guard("Cannot write the log", () => this.#commit(batch));
    } finally {
      this.#committing--;
    }
  }

  async #commit(batch: EngineBatch): Promise<void> {
    const kvBatch = this.#newBatch();
    // Most commits wait for nothing before the database has them: while it
    // works, the writer fills the next one.
    if (
      batch.removeBlocksFrom !== undefined ||
      batch.removeFilesAfter !== undefined
    ) await this.#addRemovals(kvBatch, batch);
    for (const block of batch.blocks) {
      const number = BigInt(block.number);
      kvBatch.set(["block", number], block.bytes, block.bytes.length);
      kvBatch.set(["summary", number], block.summary, block.summary.length);
      // A whole block takes the place of its pieces.
      if (block.number === this.#tailBlock) this.#dropTail(kvBatch, 0);
    }
    if (batch.removeBlock !== undefined) {
      this.#removeBlock(kvBatch, batch.removeBlock);
      if (batch.tail === undefined) this.#dropTail(kvBatch, 0);
    }
    if (batch.tail !== undefined) this.#setTail(kvBatch, batch.tail);
    for (const file of batch.files) this.#setFile(kvBatch, file);
    if (batch.removeFile !== undefined) {
      kvBatch.delete(["file", BigInt(batch.removeFile)]);
      this.#forgetStrings(batch.removeFile);
      this.#oldestFile = batch.removeFile + 1;
    }
    if (batch.head !== undefined) this.#setHead(kvBatch, batch.head);
    await this.#commitWithPieces(kvBatch);
  }

  #noteChanged(pages: number): void {
    this.#changedPages += pages;
    if (this.#changedPages < CHANGED_PAGES_MAX) return;
    // Under load Deno KV's own checkpoint comes soon.
    if (this.#committing > 0 || this.#closed) return;
    this.#changedPages = 0;
    this.#database?.checkpoint();
  }

  readBlocks(
    first: number,
    count: number,
  ): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#readRange("block", first, count);
  }

  readSummaries(
    first: number,
    count: number,
  ): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#readRange("summary", first, count);
  }

  removeBlocks(first: number, count: number): Promise<void> {
    return this.#guard(`Cannot remove block ${first} of the log`, async () => {
      const batch = this.#newBatch();
      for (let number = first; number < first + count; number++) {
        this.#removeBlock(batch, number);
      }
      await batch.commit();
      this.#noteChanged(count * PAGES_PER_BLOCK);
    });
  }

  shrink(keepBytes: number): Promise<boolean> {
    return this.#guard(
      "Cannot make the store smaller",
      () => Promise.resolve(this.#giveBack(keepBytes)),
    );
  }

  #giveBack(keepBytes: number): boolean {
    const database = this.#database;
    if (database === undefined || this.#closed) return false;
    // Whoever writes much soon takes the space.
    if (this.#committing > 0) return database.sparePages(keepBytes) > 0;
    const pages = database.giveBack(keepBytes);
    if (pages !== undefined) {
      this.#noteChanged(pages);
      return true;
    }
    if (this.#changedPages > 0) database.checkpoint();
    this.#changedPages = 0;
    return false;
  }

  diskUse(): Promise<EngineDiskUse> {
    return this.#guard("Cannot ask how large the store is", async () => {
      if (this.#closed) throw new Error("it has no database any more");
      return await this.#database?.use() ??
        { databaseBytes: 0, freeInsideBytes: 0 };
    });
  }

  getMeta(name: string): Promise<unknown> {
    return this.#guard(
      `Cannot read ${name}`,
      () => this.#loader.meta(name),
    );
  }

  setMeta(name: string, value: unknown): Promise<void> {
    // One at a time: each may change the list of names.
    const set = this.#settingMeta.then(() =>
      this.#guard(`Cannot write ${name}`, () => this.#setMeta(name, value))
    );
    this.#settingMeta = set.catch(() => {});
    return set;
  }

  async #setMeta(name: string, value: unknown): Promise<void> {
    const batch = this.#newBatch();
    const names = new Set(this.#names);
    if (value === undefined) {
      names.delete(name);
      batch.delete(["meta", name]);
    } else {
      names.add(name);
      const sealed = sealRecord(metaPlace(name), value);
      batch.set(["meta", name], sealed, sealed.length);
    }
    if (names.size !== this.#names.size) {
      const sealed = sealRecord(NAMES_PLACE, [...names]);
      batch.set(["names"], sealed, sealed.length);
    }
    await batch.commit();
    this.#names = names;
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#database?.close();
      this.#kv.close();
      this.#release();
    }
    return Promise.resolve();
  }

  /** Runs `work`; its faults become those of a store. */
  async #guard<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw kvFault(what, error, this.#closed, this.#database?.path);
    }
  }

  #newBatch(): KvBatch {
    return new KvBatch(
      this.#kv.atomic().check({ key: ["lease"], versionstamp: this.#lease }),
    );
  }

  /** The lowest or highest number that keys of a kind have; undefined for none. */
  async #outermost(
    kind: "block" | "summary",
    which: "oldest" | "newest",
  ): Promise<number | undefined> {
    const found = this.#kv.list(
      { prefix: [kind] },
      { limit: 1, reverse: which === "newest" },
    );
    for await (const { key } of found) return Number(key[1]);
    return undefined;
  }

  /** Checks the format; an empty database becomes one of ours. */
  async #takeFormat(): Promise<void> {
    if (await this.#loader.hasFormat()) return;
    const made = this.#kv.atomic()
      .set(["format"], formatValue())
      .set(["head"], sealRecord(HEAD_PLACE, EMPTY_HEAD))
      .set(["names"], sealRecord(NAMES_PLACE, []));
    await whileLocked(() => made.commit());
  }

  /** Takes the lease the first time, and never back from another. */
  async #takeLease(): Promise<void> {
    if (this.#lease !== null) {
      const { versionstamp } = await this.#kv.get(["lease"]);
      if (versionstamp === this.#lease) return;
      throw fencedError();
    }
    const owner = { owner: this.#owner, token: crypto.randomUUID() };
    const lease = await whileLocked(() => this.#kv.set(["lease"], owner));
    this.#lease = lease.versionstamp;
  }

  async #loadTail(
    head: HeadRecord | undefined,
  ): Promise<Uint8Array | undefined> {
    // What an empty log has of a tail, a crash left.
    const pieces = head === undefined
      ? []
      : await this.#loader.tailPieces(head.block);
    this.#tailPieces = pieces.length;
    this.#tailBlock = head === undefined ? -1 : head.block;
    return pieces.length === 0 ? undefined : concatBytes(pieces);
  }

  #removeBlock(batch: KvBatch, number: number): void {
    batch.delete(["block", BigInt(number)]);
    batch.delete(["summary", BigInt(number)]);
  }

  #setHead(batch: KvBatch, head: HeadRecord): void {
    const { mariadb, ...rest } = head;
    const value: HeadValue = {
      ...rest,
      oldestFile: this.#oldestFile,
      executed: this.#large.store("executed", head.executed),
      purged: this.#large.store("purged", head.purged),
      ...(mariadb && { mariadb: this.#large.store("mariadb", mariadb) }),
    };
    const sealed = sealRecord(HEAD_PLACE, value);
    batch.set(["head"], sealed, sealed.length);
  }

  #setFile(batch: KvBatch, file: FileRecord): void {
    const { previous, format, list } = stringOwners(file.number);
    const { mariadbStart, ...rest } = file;
    const value: FileValue = {
      ...rest,
      previousGtids: this.#large.store(previous, file.previousGtids),
      formatDescription: this.#large.store(format, file.formatDescription),
      ...(mariadbStart && {
        mariadbStart: this.#large.store(list, mariadbStart),
      }),
    };
    const sealed = sealRecord(filePlace(file.number), value);
    batch.set(["file", BigInt(file.number)], sealed, sealed.length);
  }

  #setTail(batch: KvBatch, tail: TailPiece): void {
    if (tail.block !== this.#tailBlock || tail.piece === 0) {
      this.#dropTail(batch, 1);
      this.#tailBlock = tail.block;
    }
    const sealed = sealBytes(tailPlace(tail.block, tail.piece), tail.bytes);
    batch.set(["tail", BigInt(tail.piece)], sealed, sealed.length);
    this.#tailPieces = tail.piece + 1;
  }

  #dropTail(batch: KvBatch, from: number): void {
    for (let piece = from; piece < this.#tailPieces; piece++) {
      batch.delete(["tail", BigInt(piece)]);
    }
    this.#tailPieces = 0;
  }

  /** Commits `batch`, and what its records left to be kept in pieces. */
  async #commitWithPieces(batch: KvBatch): Promise<void> {
    const { writes, removals } = this.#large.takeChanges();
    let ahead = this.#newBatch();
    for (const { key, bytes } of writes) {
      // What does not fit goes first: nothing names it yet.
      const fits = batch.fits(1, bytes.length);
      if (!fits && !ahead.fits(1, bytes.length)) {
        await ahead.commit();
        ahead = this.#newBatch();
      }
      (fits ? batch : ahead).set(key, bytes, bytes.length);
    }
    if (!ahead.isEmpty) await ahead.commit();
    const left = removals.filter((key) => {
      const fits = batch.fits(1, 0);
      if (fits) batch.delete(key);
      return !fits;
    });
    await batch.commit();
    await this.#removeKeys(left);
  }

  async #removeKeys(
    keys: Iterable<Deno.KvKey> | AsyncIterable<Deno.KvKey>,
  ): Promise<void> {
    let batch = this.#newBatch();
    let keysInBatch = 0;
    for await (const key of keys) {
      if (keysInBatch++ === KEYS_REMOVED_AT_ONCE) {
        await batch.commit();
        batch = this.#newBatch();
        keysInBatch = 1;
      }
      batch.delete(key);
    }
    if (!batch.isEmpty) await batch.commit();
  }

  /** Adds what is to go to `batch`; what no head can need goes at once. */
  async #addRemovals(batch: KvBatch, removes: EngineBatch): Promise<void> {
    const { removeBlocksFrom: from, removeFilesAfter: after } = removes;
    if (from !== undefined) {
      // The block the head is in goes only together with what replaces it.
      await this.#removeKeys(this.#blockKeys(from + 1));
      this.#removeBlock(batch, from);
      if (removes.tail === undefined) this.#dropTail(batch, 0);
    }
    if (after === undefined) return;
    await this.#removeKeys(this.#fileKeys(after + 1));
  }

  /** The keys of file records from a number on; forgets their byte strings. */
  async *#fileKeys(from: number): AsyncGenerator<Deno.KvKey> {
    const files = this.#kv.list(keysFrom("file", from));
    for await (const { key } of files) {
      this.#forgetStrings(Number(key[1]));
      yield key;
    }
  }

  #forgetStrings(file: number): void {
    for (const owner of Object.values(stringOwners(file))) {
      this.#large.remove(owner);
    }
  }

  /** The keys of whole blocks from a number on, and of their summaries. */
  async *#blockKeys(from: number): AsyncGenerator<Deno.KvKey> {
    // Summaries stand for their blocks here: they are far smaller to list.
    const summaries = this.#kv.list(keysFrom("summary", from), {
      batchSize: LIST_BATCH_MAX,
    });
    for await (const { key } of summaries) {
      yield ["block", key[1]!];
      yield key;
    }
  }

  #readRange(
    kind: "block" | "summary",
    first: number,
    count: number,
  ): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#guard(
      `Cannot read ${kind} ${first} of the log`,
      () => this.#loader.range(kind, first, count),
    );
  }
}

/** What `read` answers; undefined when it finds damage. */
async function ifSound<T>(
  read: () => T | Promise<T>,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof StoreError && error.kind === "corrupt") {
      return undefined;
    }
    throw error;
  }
}

function keysFrom(kind: string, first: number): Deno.KvListSelector {
  return {
    start: [kind, BigInt(first)],
    end: [kind, BigInt(Number.MAX_SAFE_INTEGER)],
  };
}
