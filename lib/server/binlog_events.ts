import { FIRST_POSITION, StoreError } from "../store/binlog_store.ts";
import { findEventBefore } from "../store/find_transaction.ts";
import { type ListedEvent, listEvents } from "../store/list_events.ts";
import type { ServerStore } from "./server_store.ts";
import { StatementError, StatementFault } from "./statement_error.ts";

/** What a `SHOW BINLOG EVENTS` asks for. */
export interface BinlogEventsRequest {
  /** The file; it was there when the statement was parsed. */
  readonly fileName: string;
  /** Position of the first event. */
  readonly from: bigint;
  /** Whether an event has to begin there; else the next one is the first. */
  readonly exact: boolean;
  /** How many events are left out at the begin. */
  readonly offset: bigint;
  /** How many are shown at most. */
  readonly count: bigint;
}

/**
 * The most that one statement shows: an answer is made in memory, in one
 * buffer, before it is sent.
 */
const ROWS_MAX = 100_000;
const CHARACTERS_MAX = 32 * 1024 * 1024;

/**
 * The rows of a `SHOW BINLOG EVENTS`, with the columns Log_name, Pos,
 * Event_type, Server_id, End_log_pos and Info.
 *
 * @throws {StatementError} 1220 when no event begins at the position, when
 * there is more than fits into an answer, or the log can't be read
 */
export async function binlogEventRows(
  store: Pick<ServerStore, "files" | "openReader">,
  request: BinlogEventsRequest,
  signal: AbortSignal,
): Promise<(string | null)[][]> {
  const { fileName, offset, count } = request;
  const file = store.files.find(({ name }) => name === fileName);
  if (file === undefined) throw binlogEventsError("Could not find target log");
  // There is nothing to show behind the end, and that is no error.
  if (request.from >= BigInt(file.size)) return [];
  const from = Math.max(FIRST_POSITION, Number(request.from));
  const rows: (string | null)[][] = [];
  let skip = offset;
  let characters = 0;
  try {
    const start = request.exact
      ? from
      : await findEventBefore(store, file, from);
    for await (const run of listEvents(store, file, { from: start, signal })) {
      for (const event of run) {
        // A compressed event is said to be where the one around it ends.
        const before = event.isInner ? event.position - 1 : event.position;
        if (before < from) continue;
        if (skip-- > 0n) continue;
        if (BigInt(rows.length) >= count) return rows;
        const row = rowOf(fileName, event);
        characters += event.info.length + 60;
        if (rows.length === ROWS_MAX || characters > CHARACTERS_MAX) {
          throw binlogEventsError(
            `There are more than ${rows.length} events; ask for fewer at a time with FROM and LIMIT`,
          );
        }
        rows.push(row);
      }
      if (BigInt(rows.length) >= count) return rows;
    }
    return rows;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw binlogEventsError(
      error.kind === "position-inside-event"
        ? "Wrong offset or I/O error"
        : error.message,
    );
  }
}

function rowOf(fileName: string, event: ListedEvent): (string | null)[] {
  return [
    fileName,
    String(event.position),
    event.type,
    String(event.serverId),
    String(event.endPosition),
    event.info,
  ];
}

/**
 * The error 1220 for a `SHOW BINLOG EVENTS`.
 *
 * @param reason why it can't be answered, as MySQL says it where it does
 */
export function binlogEventsError(reason: string): StatementError {
  return new StatementError(
    StatementFault.ER_ERROR_WHEN_EXECUTING_COMMAND,
    `Error when executing command SHOW BINLOG EVENTS: ${reason}`,
  );
}
