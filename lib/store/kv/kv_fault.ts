import { StoreError } from "../binlog_store.ts";
import { isDamage } from "./check_database.ts";

/**
 * Says that Deno KV failed.
 *
 * @param what what could not be done, as in `Cannot write the log`
 * @param error what Deno KV threw
 * @param closed whether it was closed before
 * @param path the database's file, if it is one
 */
export function kvFault(
  what: string,
  error: unknown,
  closed: boolean,
  path?: string,
): StoreError {
  if (error instanceof StoreError) return error;
  if (closed) {
    return new StoreError("closed", `${what}: the store is closed`, {
      cause: error,
    });
  }
  const why = error instanceof Error ? error.message : String(error);
  const where = path === undefined ? "" : ` of ${path}`;
  // Deno KV has no classes for these, only SQLite's words.
  if (why.includes("disk is full")) {
    return new StoreError(
      "full",
      `${what}: the disk${where} is full; free some space on it`,
      { cause: error },
    );
  }
  if (why.includes("readonly database")) {
    return new StoreError(
      "io",
      `${what}: the file system${where} is read-only; make it writable`,
      { cause: error },
    );
  }
  return new StoreError(
    isDamage(why) ? "corrupt" : "io",
    `${what}: ${why}${where}`,
    { cause: error },
  );
}
