import { DatabaseSync } from "node:sqlite";
import { StoreError } from "../binlog_store.ts";

/** Tables that every Deno KV database has. */
const TABLES = ["kv", "data_version", "migration_state"];

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

/** What SQLite says of a file, in our words. */
function sqliteFault(cause: unknown): StoreError {
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

/** Whether words of SQLite's say that the file itself is damaged. */
export function isDamage(why: string): boolean {
  return /malformed|corrupt|unsupported file format/i.test(why);
}

function statFile(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
