import { DatabaseSync } from "node:sqlite";
import { type BinlogStore, StoreError } from "../binlog_store.ts";
import { BlockLog, type BlockLogOptions } from "../block_log.ts";
import { DatabaseFile } from "./database_file.ts";
import { checkDatabase } from "./check_database.ts";
import { KvEngine } from "./kv_engine.ts";
import { kvFault } from "./kv_fault.ts";
import { takeLock } from "./take_lock.ts";
import { describeError } from "../../log/describe_error.ts";

/** How a store on disk is opened. */
export interface KvStoreOptions extends BlockLogOptions {
  /** The database file; its folder is made if missing. */
  readonly path: string;
  /** Page size of a new database in bytes; an existing one keeps its own. */
  readonly pageBytes?: number;
}

/**
 * Page size of a new database in bytes. SQLite's default of 4096 cuts a block
 * of 64,000 bytes into 16 pages; with 16 KiB reads are about half again as
 * fast and a small commit costs the same.
 */
const PAGE_BYTES = 16_384;

/**
 * Opens the log in a Deno KV database and takes the writer's lease.
 *
 * A lock file beside the database keeps a second process out while this one
 * runs; where file locks do not work (some network file systems) the lease in
 * the database still makes all commits but the newest writer's fail.
 *
 * @throws {StoreError} `locked` when another process has it open (the message
 * names it), `format` when the file is not ours, `corrupt` when it contradicts
 * itself, `full` or `io` when it can't be opened
 */
export async function openKvStore(
  options: KvStoreOptions,
): Promise<BinlogStore> {
  const { path } = options;
  try {
    const lock = await takeLock(path);
    const engine = await openEngine(options, lock);
    return await BlockLog.open(engine, { ...options, store: path });
  } catch (error) {
    const { kind } = kvFault("", error, false);
    throw new StoreError(
      kind,
      `Cannot open the store ${path}: ${describeOpenFault(error)}`,
      { cause: error },
    );
  }
}

/** What is wrong, and what to do where the system's words do not say it. */
function describeOpenFault(error: unknown): string {
  const why = describeError(error);
  // Deno has no class for EROFS.
  if (why.includes("(os error 30)")) {
    return `its file system is read-only; make it writable or choose another data-dir (${why})`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `this user may not write there; change the owner of the folder, or choose another data-dir (${why})`;
  }
  return why;
}

/** Opens the database. The lock goes when the engine is closed, or on a fault. */
async function openEngine(
  { path, pageBytes = PAGE_BYTES }: KvStoreOptions,
  lock: Deno.FsFile,
): Promise<KvEngine> {
  try {
    await preparePages(path, pageBytes);
    checkDatabase(path, true);
    const kv = await Deno.openKv(path);
    const file = new DatabaseFile(path);
    return new KvEngine(kv, `pid ${Deno.pid}`, () => lock.close(), file);
  } catch (error) {
    lock.close();
    throw error;
  }
}

/** Makes a new database with our page size; an existing one keeps its own. */
async function preparePages(path: string, pageBytes: number): Promise<void> {
  try {
    const found = await Deno.stat(path);
    if (found.size > 0) return;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  // SQLite takes an empty file for a new database and gives the files beside
  // it the same mode. Intents with passwords are in there: for us alone.
  const file = await Deno.open(path, {
    create: true,
    write: true,
    mode: 0o600,
  });
  file.close();
  const database = new DatabaseSync(path);
  try {
    // The size sticks with the first table. (VACUUM would do it too, but needs
    // to attach a database, which Deno allows with all permissions only.)
    database.exec(
      `PRAGMA page_size = ${pageBytes}; PRAGMA auto_vacuum = INCREMENTAL; CREATE TABLE made (x); DROP TABLE made;`,
    );
  } finally {
    database.close();
  }
}
