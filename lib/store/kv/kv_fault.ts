import { StoreError } from "../binlog_store.ts";

/**
 * Says that Deno KV failed.
 *
 * @param what what could not be done, as in `Cannot write the log`
 * @param error what Deno KV threw
 * @param closed whether it was closed before
 */
export function kvFault(
  what: string,
  error: unknown,
  closed: boolean,
): StoreError {
  if (error instanceof StoreError) return error;
  if (closed) {
    return new StoreError("closed", `${what}: the store is closed`, {
      cause: error,
    });
  }
  const why = error instanceof Error ? error.message : String(error);
  return new StoreError("io", `${what}: ${why}`, { cause: error });
}
