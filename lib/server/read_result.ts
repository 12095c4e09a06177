import { ErrorCode, sqlStateFor } from "../protocol/error_code.ts";
import { binlogEventRows } from "./binlog_events.ts";
import { mariadbPositionAt } from "./mariadb_position_at.ts";
import type { ServerStore } from "./server_store.ts";
import { errorResult } from "./statement.ts";
import type { StatementResult } from "./statement_result.ts";

/** Results whose rows are found in the log. */
type ReadResult = StatementResult & {
  readonly kind: "events" | "gtid-positions";
};

/**
 * Reads what a result lacks; answers the rows, or the error that reading ended
 * in.
 *
 * @param signal Fires when the client's session is to end.
 */
export async function readResult(
  result: ReadResult,
  store: ServerStore,
  signal: AbortSignal,
): Promise<StatementResult> {
  try {
    return result.kind === "events"
      ? await readEvents(result, store, signal)
      : await readPositions(result, store, signal);
  } catch (error) {
    return errorResult(error);
  }
}

async function readEvents(
  { columns, request }: ReadResult & { readonly kind: "events" },
  store: ServerStore,
  signal: AbortSignal,
): Promise<StatementResult> {
  try {
    const rows = await binlogEventRows(store, request, signal);
    return { kind: "rows", columns, rows };
  } catch (error) {
    if (!signal.aborted) throw error;
    const code = ErrorCode.ER_QUERY_INTERRUPTED;
    const message = "Query execution was interrupted";
    return { kind: "error", code, sqlState: sqlStateFor(code), message };
  }
}

async function readPositions(
  result: ReadResult & { readonly kind: "gtid-positions" },
  store: ServerStore,
  signal: AbortSignal,
): Promise<StatementResult> {
  const { columns, positions } = result;
  const row = [...result.row];
  for (const [at, place] of positions) {
    row[at] = await mariadbPositionAt(store, place, signal);
  }
  return { kind: "rows", columns, rows: [row] };
}
