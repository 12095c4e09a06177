import { DatabaseSync } from "node:sqlite";
import type { EngineDiskUse } from "../block_engine.ts";
import { isLocked } from "./while_locked.ts";

/** SQLite's files of a database, as far as they hold pages of it. */
const FILES = ["", "-wal"];

/** What `PRAGMA auto_vacuum` answers when pages can be given back step by step. */
const INCREMENTAL = 2;

/** The most pages given back in one step. */
const PAGES_AT_ONCE_MAX = 64;

/**
 * How long a step is to take, in ms. It holds up this thread, and a commit that
 * comes meanwhile: the pages at the end of the file are read and moved.
 */
const STEP_MS = 4;

/**
 * The file of a database that Deno KV has open: what can only be had from
 * SQLite itself, through a connection of its own. (Both are the same SQLite, so
 * closing one connection does not take the other's locks away.)
 */
export class DatabaseFile {
  /** Where it is. */
  readonly path: string;
  #connection: DatabaseSync | undefined;
  #pagesAtOnce = 8;

  /** @param path where the database is */
  constructor(path: string) {
    this.path = path;
  }

  /**
   * How large it is, and how much of it is free.
   *
   * @throws what the operating system or SQLite throws
   */
  async use(): Promise<EngineDiskUse> {
    let databaseBytes = 0;
    for (const suffix of FILES) {
      databaseBytes += await sizeOf(`${this.path}${suffix}`);
    }
    return {
      databaseBytes,
      freeInsideBytes: this.#freePages * this.#pageBytes,
    };
  }

  /** How many free pages can go when `keepBytes` of them are to stay. */
  sparePages(keepBytes: number): number {
    if (this.#pragma("auto_vacuum") !== INCREMENTAL) return 0;
    const kept = Math.ceil(keepBytes / this.#pageBytes);
    return Math.max(0, this.#freePages - kept);
  }

  /**
   * Takes some free pages out of the database. The file gets smaller when the
   * write-ahead log is taken into it: see `checkpoint`.
   *
   * @param keepBytes so much of the free pages stays
   * @returns how many went, 0 while somebody else writes; undefined when there
   * are no more to go, or the database was made without this
   * @throws what SQLite throws
   */
  giveBack(keepBytes: number): number | undefined {
    const spare = this.sparePages(keepBytes);
    if (spare === 0) return undefined;
    const pages = Math.min(spare, this.#pagesAtOnce);
    const began = performance.now();
    try {
      // Each row is a page that went.
      this.#open().prepare(`PRAGMA incremental_vacuum(${pages})`).all();
    } catch (error) {
      if (isLocked(error)) return 0;
      throw error;
    }
    this.#adapt(performance.now() - began);
    return pages;
  }

  /**
   * Takes what is in the write-ahead log into the database, as far as nobody
   * reads older pages.
   *
   * @throws what SQLite throws
   */
  checkpoint(): void {
    try {
      this.#open().prepare("PRAGMA wal_checkpoint(PASSIVE)").all();
    } catch (error) {
      // Somebody else's checkpoint is under way.
      if (!isLocked(error)) throw error;
    }
  }

  /** Lets go of it. */
  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  get #freePages(): number {
    return this.#pragma("freelist_count");
  }

  get #pageBytes(): number {
    return this.#pragma("page_size");
  }

  #adapt(ms: number): void {
    this.#pagesAtOnce = ms > STEP_MS
      ? Math.ceil(this.#pagesAtOnce / 2)
      : Math.min(2 * this.#pagesAtOnce, PAGES_AT_ONCE_MAX);
  }

  #pragma(name: string): number {
    return Number(this.#open().prepare(`PRAGMA ${name}`).get()?.[name]);
  }

  #open(): DatabaseSync {
    if (this.#connection !== undefined) return this.#connection;
    const connection = new DatabaseSync(this.path);
    // Whatever gets lost of this in a crash is done again, so it need not wait
    // for the disk; and checkpoints come when they are asked for.
    connection.exec("PRAGMA synchronous = NORMAL");
    connection.prepare("PRAGMA wal_autocheckpoint = 0").all();
    return this.#connection = connection;
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await Deno.stat(path)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}
