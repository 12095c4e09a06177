import {
  type BlockSummary,
  StoreError,
  type StoreErrorKind,
} from "../binlog_store.ts";
import type {
  BlockEngine,
  EngineBatch,
  EngineState,
  FileRecord,
  HeadRecord,
} from "../block_engine.ts";
import { decodeSummary, encodeSummary } from "../summary_codec.ts";

/** What the keys and values below mean; another number is not ours to read. */
const FORMAT_VERSION = 1;

/** Larger byte strings than this get keys of their own, in pieces. */
const INLINE_BYTES_MAX = 16_000;

/** Bytes of one such piece; a value holds 64 KiB with its encoding. */
const PIECE_BYTES = 60_000;

/** Mutations of one atomic commit; Deno KV takes 1000. */
const MUTATIONS_MAX = 900;

/** The most entries Deno KV reads in one go. */
const LIST_BATCH_MAX = 500;

interface FormatValue {
  readonly product: string;
  readonly version: number;
}

/** Bytes in place, or how many pieces they are kept in elsewhere. */
type StoredBytes = Uint8Array | number;

interface HeadValue extends Omit<HeadRecord, "executed" | "purged"> {
  readonly executed: StoredBytes;
  readonly purged: StoredBytes;
}

interface FileValue extends Omit<FileRecord, "previousGtids"> {
  readonly previousGtids: StoredBytes;
}

/**
 * Blocks in Deno KV. Sequence parts of keys are bigints, which sort by value.
 *
 * | key | value |
 * |---|---|
 * | `["format"]` | product and version of this layout |
 * | `["lease"]` | who writes; its versionstamp is checked by every commit |
 * | `["head"]` | the head |
 * | `["file", n]` | a binlog file |
 * | `["block", n]` | a whole block's bytes |
 * | `["summary", n]` | its summary, in the same commit |
 * | `["tail", k]` | pieces of the block that is not whole yet |
 * | `["bytes", of, …, k]` | pieces of a GTID set too large for its record |
 * | `["meta", name]` | values beside the log |
 */
export class KvEngine implements BlockEngine {
  readonly #kv: Deno.Kv;
  readonly #owner: string;
  readonly #release: () => void;
  #lease: string | null = null;
  #tailBlock = -1;
  #tailPieces = 0;
  #headPieces: { executed: number; purged: number } = {
    executed: 0,
    purged: 0,
  };

  /**
   * @param kv an open database, owned by the engine from now on
   * @param owner who takes the lease, for the eyes of an operator
   * @param release called when the engine was closed
   */
  constructor(kv: Deno.Kv, owner: string, release: () => void = () => {}) {
    this.#kv = kv;
    this.#owner = owner;
    this.#release = release;
  }

  async load(): Promise<EngineState> {
    await this.#checkFormat();
    const lease = await this.#kv.set(["lease"], {
      owner: this.#owner,
      token: crypto.randomUUID(),
    });
    this.#lease = lease.versionstamp;
    const head = await this.#loadHead();
    const files = await this.#loadFiles();
    const tail = await this.#loadTail(head);
    return { head, files, tail, tailPieces: this.#tailPieces };
  }

  async commit(batch: EngineBatch): Promise<void> {
    const atomic = this.#atomic();
    if (batch.removeBlocksFrom !== undefined) {
      // The block the head is in goes only together with what replaces it.
      await this.#removeBlocks(batch.removeBlocksFrom + 1);
      const first = BigInt(batch.removeBlocksFrom);
      atomic.delete(["block", first]).delete(["summary", first]);
      if (batch.tail === undefined) this.#dropTail(atomic, 0);
    }
    if (batch.removeFilesAfter !== undefined) {
      await this.#removeFiles(atomic, batch.removeFilesAfter);
    }
    for (const block of batch.blocks) {
      const number = BigInt(block.number);
      atomic.set(["block", number], block.bytes);
      atomic.set(["summary", number], encodeSummary(block.summary));
      // A whole block takes the place of its pieces.
      if (block.number === this.#tailBlock) this.#dropTail(atomic, 0);
    }
    if (batch.tail !== undefined) this.#setTail(atomic, batch.tail);
    for (const file of batch.files) this.#setFile(atomic, file);
    if (batch.head !== undefined) this.#setHead(atomic, batch.head);
    await this.#run(atomic);
  }

  async readBlocks(first: number, count: number): Promise<Uint8Array[]> {
    return await this.#readRange("block", first, count);
  }

  async readSummaries(first: number, count: number): Promise<BlockSummary[]> {
    const found = await this.#readRange("summary", first, count);
    return found.map(decodeSummary);
  }

  async getMeta(name: string): Promise<unknown> {
    const entry = await this.#kv.get(["meta", name]);
    return entry.value ?? undefined;
  }

  async setMeta(name: string, value: unknown): Promise<void> {
    const atomic = this.#atomic();
    if (value === undefined) atomic.delete(["meta", name]);
    else atomic.set(["meta", name], value);
    await this.#run(atomic);
  }

  close(): Promise<void> {
    this.#kv.close();
    this.#release();
    return Promise.resolve();
  }

  #atomic(): Deno.AtomicOperation {
    return this.#kv.atomic().check({
      key: ["lease"],
      versionstamp: this.#lease,
    });
  }

  async #run(atomic: Deno.AtomicOperation): Promise<void> {
    let result: Deno.KvCommitResult | Deno.KvCommitError;
    try {
      result = await atomic.commit();
    } catch (error) {
      throw kvFault("io", "Cannot write the log", error);
    }
    if (!result.ok) {
      throw new StoreError(
        "fenced",
        "Cannot write the log: another process opened the same data and writes it now",
      );
    }
  }

  async #checkFormat(): Promise<void> {
    const format = await this.#kv.get<FormatValue>(["format"]);
    if (format.value === null) {
      for await (const entry of this.#kv.list({ prefix: [] }, { limit: 1 })) {
        throw new StoreError(
          "format",
          `Cannot open the database: it holds ${
            JSON.stringify(String(entry.key[0]))
          } and was not made by kingbus`,
        );
      }
      await this.#kv.set(["format"], {
        product: "kingbus",
        version: FORMAT_VERSION,
      });
      return;
    }
    const { product, version } = format.value;
    if (product !== "kingbus" || version !== FORMAT_VERSION) {
      throw new StoreError(
        "format",
        `Cannot open the database: its format is ${product} ${version}, this version reads kingbus ${FORMAT_VERSION}`,
      );
    }
  }

  async #loadHead(): Promise<HeadRecord | undefined> {
    const { value } = await this.#kv.get<HeadValue>(["head"]);
    if (value === null) return undefined;
    this.#headPieces = {
      executed: piecesOf(value.executed),
      purged: piecesOf(value.purged),
    };
    return {
      ...value,
      executed: await this.#loadBytes(["executed"], value.executed),
      purged: await this.#loadBytes(["purged"], value.purged),
    };
  }

  async #loadFiles(): Promise<FileRecord[]> {
    const files: FileRecord[] = [];
    for await (
      const { value } of this.#kv.list<FileValue>({ prefix: ["file"] })
    ) {
      const key = ["file", BigInt(value.number)];
      files.push({
        ...value,
        previousGtids: await this.#loadBytes(key, value.previousGtids),
      });
    }
    return files;
  }

  async #loadTail(
    head: HeadRecord | undefined,
  ): Promise<Uint8Array | undefined> {
    const pieces: Uint8Array[] = [];
    for await (
      const { value } of this.#kv.list<Uint8Array>({ prefix: ["tail"] })
    ) pieces.push(value);
    this.#tailPieces = pieces.length;
    this.#tailBlock = head === undefined ? -1 : head.block;
    if (pieces.length === 0) return undefined;
    const tail = new Uint8Array(
      pieces.reduce((sum, piece) => sum + piece.length, 0),
    );
    let at = 0;
    for (const piece of pieces) {
      tail.set(piece, at);
      at += piece.length;
    }
    return tail;
  }

  async #loadBytes(of: Deno.KvKey, stored: StoredBytes): Promise<Uint8Array> {
    if (typeof stored !== "number") return stored;
    const bytes: Uint8Array[] = [];
    for (let piece = 0; piece < stored; piece++) {
      const key = ["bytes", ...of, BigInt(piece)];
      const { value } = await this.#kv.get<Uint8Array>(key);
      if (value === null) {
        throw new StoreError(
          "corrupt",
          `Cannot read the log: ${String(key)} is missing`,
        );
      }
      bytes.push(value);
    }
    return new Uint8Array(await new Blob(bytes as BlobPart[]).arrayBuffer());
  }

  #setBytes(
    atomic: Deno.AtomicOperation,
    of: Deno.KvKey,
    bytes: Uint8Array,
    oldPieces: number,
  ): StoredBytes {
    const inline = bytes.length <= INLINE_BYTES_MAX;
    const pieces = inline ? 0 : Math.ceil(bytes.length / PIECE_BYTES);
    for (let piece = 0; piece < pieces; piece++) {
      atomic.set(
        ["bytes", ...of, BigInt(piece)],
        bytes.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES),
      );
    }
    for (let piece = pieces; piece < oldPieces; piece++) {
      atomic.delete(["bytes", ...of, BigInt(piece)]);
    }
    return inline ? bytes : pieces;
  }

  #setHead(atomic: Deno.AtomicOperation, head: HeadRecord): void {
    const old = this.#headPieces;
    const value: HeadValue = {
      ...head,
      executed: this.#setBytes(
        atomic,
        ["executed"],
        head.executed,
        old.executed,
      ),
      purged: this.#setBytes(atomic, ["purged"], head.purged, old.purged),
    };
    this.#headPieces = {
      executed: piecesOf(value.executed),
      purged: piecesOf(value.purged),
    };
    atomic.set(["head"], value);
  }

  #setFile(atomic: Deno.AtomicOperation, file: FileRecord): void {
    const key = ["file", BigInt(file.number)];
    const value: FileValue = {
      ...file,
      previousGtids: this.#setBytes(atomic, key, file.previousGtids, 0),
    };
    atomic.set(key, value);
  }

  #setTail(
    atomic: Deno.AtomicOperation,
    tail: { block: number; piece: number; bytes: Uint8Array },
  ): void {
    if (tail.block !== this.#tailBlock || tail.piece === 0) {
      this.#dropTail(atomic, 1);
      this.#tailBlock = tail.block;
    }
    atomic.set(["tail", BigInt(tail.piece)], tail.bytes);
    this.#tailPieces = tail.piece + 1;
  }

  #dropTail(atomic: Deno.AtomicOperation, from: number): void {
    for (let piece = from; piece < this.#tailPieces; piece++) {
      atomic.delete(["tail", BigInt(piece)]);
    }
    this.#tailPieces = 0;
  }

  /** Removes whole blocks from a number on. */
  async #removeBlocks(from: number): Promise<void> {
    let atomic = this.#atomic();
    let mutations = 0;
    // Summaries stand for their blocks here: they are far smaller to list.
    const numbers = this.#kv.list({
      start: ["summary", BigInt(from)],
      end: ["summary", BigInt(Number.MAX_SAFE_INTEGER)],
    }, { batchSize: LIST_BATCH_MAX });
    for await (const { key } of numbers) {
      atomic.delete(key).delete(["block", key[1]!]);
      mutations += 2;
      if (mutations < MUTATIONS_MAX) continue;
      await this.#run(atomic);
      atomic = this.#atomic();
      mutations = 0;
    }
    if (mutations > 0) await this.#run(atomic);
  }

  async #removeFiles(
    atomic: Deno.AtomicOperation,
    after: number,
  ): Promise<void> {
    for await (
      const { key, value } of this.#kv.list<FileValue>({
        start: ["file", BigInt(after + 1)],
        end: ["file", BigInt(Number.MAX_SAFE_INTEGER)],
      })
    ) {
      atomic.delete(key);
      this.#setBytes(
        atomic,
        key,
        new Uint8Array(0),
        piecesOf(value.previousGtids),
      );
    }
  }

  async #readRange(
    kind: "block" | "summary",
    first: number,
    count: number,
  ): Promise<Uint8Array[]> {
    const found: Uint8Array[] = [];
    try {
      const entries = this.#kv.list<Uint8Array>({
        start: [kind, BigInt(first)],
        end: [kind, BigInt(first + count)],
      }, { batchSize: Math.min(count, LIST_BATCH_MAX), limit: count });
      for await (const { value } of entries) found.push(value);
    } catch (error) {
      throw kvFault("io", `Cannot read ${kind} ${first} of the log`, error);
    }
    return found;
  }
}

function piecesOf(stored: StoredBytes): number {
  return typeof stored === "number" ? stored : 0;
}

function kvFault(
  kind: StoreErrorKind,
  what: string,
  error: unknown,
): StoreError {
  const why = error instanceof Error ? error.message : String(error);
  return new StoreError(kind, `${what}: ${why}`, { cause: error });
}
