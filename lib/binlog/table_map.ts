import { u16At, u32At } from "./_little_endian.ts";
import { HEADER_BYTES } from "./event_header.ts";
import { EventType } from "./event_type.ts";
import { MalformedEventError } from "./malformed_event_error.ts";

// Post-header of TABLE_MAP and of every rows event: table id 6, flags 2.
const FLAGS_OFFSET = HEADER_BYTES + 6;
const NAMES_OFFSET = HEADER_BYTES + 8;

/** Which table a number stands for in the rows events that follow. */
export interface TableMap {
  /** The number, of 48 bits. */
  readonly tableId: number;
  /** Database. */
  readonly database: string;
  /** Table. */
  readonly table: string;
}

/** What a rows event says before its rows. */
export interface RowsHead {
  /** As in the TABLE_MAP event before it. */
  readonly tableId: number;
  /** Bits of `RowsFlag`. */
  readonly flags: number;
}

/** Bits of the flags of a rows event (`Rows_event` in MySQL's `rows_event.h`). */
export const RowsFlag = {
  STMT_END: 0x1,
  NO_FOREIGN_KEY_CHECKS: 0x2,
  RELAXED_UNIQUE_CHECKS: 0x4,
  COMPLETE_ROWS: 0x8,
  USE_SQL_FOREIGN_KEY: 0x10,
} as const;

/**
 * Reads the names in a TABLE_MAP_EVENT (`Table_map_event` in MySQL's
 * `rows_event.cpp`).
 *
 * @param event The event, or its begin with both names.
 * @throws {MalformedEventError} If the names are not there.
 */
export function decodeTableMap(event: Uint8Array): TableMap {
  const { tableId } = decodeRowsHead(event, EventType.TABLE_MAP);
  const [database, next] = readName(event, NAMES_OFFSET);
  const [table] = readName(event, next);
  return { tableId, database, table };
}

/**
 * Reads what a rows event says before its rows.
 *
 * @param event The event, or its begin.
 * @param type Its type, for errors.
 * @throws {MalformedEventError} If it is too short.
 */
export function decodeRowsHead(event: Uint8Array, type: number): RowsHead {
  if (event.length < NAMES_OFFSET) throw tooShort(type);
  return {
    tableId: u32At(event, HEADER_BYTES) +
      u16At(event, HEADER_BYTES + 4) * 0x1_0000_0000,
    flags: u16At(event, FLAGS_OFFSET),
  };
}

/** Reads a name with its length in front and NUL behind. */
function readName(event: Uint8Array, offset: number): [string, number] {
  const end = offset + 1 + (event[offset] ?? 0);
  if (end >= event.length) throw tooShort(EventType.TABLE_MAP);
  const name = new TextDecoder().decode(event.subarray(offset + 1, end));
  return [name, end + 1];
}

function tooShort(type: number): MalformedEventError {
  return new MalformedEventError(
    `Cannot decode an event of type ${type}: it is too short for its table`,
    type,
  );
}
