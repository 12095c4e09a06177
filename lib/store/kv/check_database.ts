import { DatabaseSync } from "node:sqlite";
import { StoreError } from "../binlog_store.ts";
import { checkValueTypes } from "./value_types.ts";

/** Tables that every Deno KV database has. */
const TABLES = ["kv", "data_version", "migration_state"];

/** The begin of a database file (SQLite's file format, 1.3). */
const HEADER_BYTES = 100;

/** Where it has the versions that are needed to write and to read it. */
const FORMAT_OFFSETS = [18, 19];

/** The highest one there is. */
const WAL_FORMAT = 2;

/** Where it has the largest root page. */
const LARGEST_ROOT_OFFSET = 52;

/** Those beside the values, which stay small. */
const SMALL_TABLES = [
  "data_version",
  "migration_state",
  "queue",
  "queue_running",
];

/**
 * Looks before Deno KV does, which would make what is missing: a file, or its
 * tables in somebody else's database. Changes nothing.
 *
 * @param path the database file
 * @param mayBeNew whether a database without any tables will do
 * @throws {StoreError} `format` when it is not a Deno KV database, `corrupt`
 * when that can't be told, `io` when it can't be read
 */
export function checkDatabase(path: string, mayBeNew: boolean): void {
  const found = statFile(path);
  if (found === undefined) {
    throw new StoreError("io", "there is none; is the data-dir right?");
  }
  if (!found.isFile) throw new StoreError("format", "it is not a file");
  let tables: string[];
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      const rows = database.prepare(
        "SELECT name FROM sqlite_master WHERE type = 'table'",
      ).all();
      tables = rows.map(({ name }) => String(name));
      if (TABLES.every((name) => tables.includes(name))) {
        checkJobs(path, database);
      }
    } finally {
      database.close();
    }
  } catch (cause) {
    throw sqliteFault(cause);
  }
  if (mayBeNew && tables.length === 0) return;
  if (TABLES.every((name) => tables.includes(name))) return;
  throw new StoreError(
    "format",
    "it is not a database of kingbus; choose another data-dir",
  );
}

/**
 * Looks at what Deno KV works on by itself in the background: where that is
 * damaged it ends the process (`KV collect expired failed`), and a value that
 * seems to have expired would be removed; kingbus's never expire. Takes the
 * same short time however many values there are.
 */
function checkJobs(path: string, database: DatabaseSync): void {
  for (const table of SMALL_TABLES) {
    for (
      const row of database.prepare(`PRAGMA quick_check('${table}')`).all()
    ) {
      const [said] = Object.values(row);
      if (said !== "ok") throw new StoreError("corrupt", `${table}: ${said}`);
    }
  }
  checkHeader(path, database);
  checkValueTypes(database);
  const expired = database.prepare(
    "SELECT k FROM kv WHERE expiration_ms >= 0 ORDER BY expiration_ms LIMIT 1",
  ).all();
  const counters = database.prepare(
    "SELECT version FROM data_version WHERE k = 0",
  ).all();
  if (expired.length === 0 && counters.length === 1) return;
  throw new StoreError("corrupt", "the tables of Deno KV are damaged");
}

/**
 * What of the header SQLite itself believes until the first write: that the
 * database can be written, and which root page is the largest.
 */
function checkHeader(path: string, database: DatabaseSync): void {
  // While there is a write-ahead log the newest header may be in it.
  if ((statFile(`${path}-wal`)?.size ?? 0) > 0) return;
  using file = Deno.openSync(path);
  const header = new Uint8Array(HEADER_BYTES);
  file.readSync(header);
  const largest = new DataView(header.buffer).getUint32(LARGEST_ROOT_OFFSET);
  const row = database.prepare(
    "SELECT max(rootpage) AS largest FROM sqlite_master",
  ).get();
  const isWritable = FORMAT_OFFSETS.every((at) => header[at]! <= WAL_FORMAT);
  if (isWritable && (largest === 0 || largest === row?.largest)) return;
  throw new StoreError("corrupt", "the header of the database is damaged");
}

/** What SQLite says of a file, in our words. */
function sqliteFault(cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  if (why.includes("not a database")) {
    return new StoreError(
      "format",
      `it is not a database of kingbus (${why}); choose another data-dir`,
      { cause },
    );
  }
  return new StoreError(isDamage(why) ? "corrupt" : "io", why, { cause });
}

/** What SQLite and Deno KV say where a database is damaged. */
const DAMAGE = [
  "malformed",
  "corrupt",
  "unsupported file format",
  "no such table",
  "no such column",
  "has no column",
  "value encoding",
  "could not deserialize",
  "Invalid column type",
  "invalid tag",
  "unexpected end of file",
  "invalid utf8",
  "out of range at index",
  "already exists",
  "duplicate column",
];

/** Whether words of SQLite's or Deno KV's say that a database is damaged. */
export function isDamage(why: string): boolean {
  return DAMAGE.some((words) => why.includes(words));
}

function statFile(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
