import { u16At, u64At } from "./_little_endian.ts";
import { HEADER_BYTES } from "./event_header.ts";

const STATUS_LENGTH_OFFSET = HEADER_BYTES + 11;
const STATUS_OFFSET = HEADER_BYTES + 13;

/** `Q_DDL_LOGGED_WITH_XID` in MySQL's `statement_events.h`. */
const DDL_XID = 17;

/** Bytes after the code of status variables that have a fixed size. */
const FIXED_BYTES: ReadonlyMap<number, number> = new Map([
  [0, 4], // flags
  [1, 8], // SQL mode
  [3, 4], // auto increment
  [4, 6], // character set
  [7, 2], // names of months and days
  [8, 2], // character set of the database
  [9, 8], // table map for update
  [10, 4], // bytes on the master
  [13, 3], // microseconds
  [16, 1], // explicit defaults for timestamps
  [18, 2], // default collation of utf8mb4
  [19, 1], // require primary key
  [20, 1], // default table encryption
]);

/** `Q_UPDATED_DB_NAMES`: so many names are too many to be listed. */
const TOO_MANY_NAMES = 254;

/**
 * The XID that a QUERY_EVENT with an atomic DDL statement has among its status
 * variables (since MySQL 8.0); undefined if it has none, or one that comes
 * after a variable that is not known here.
 *
 * @param event The event, or its begin.
 */
export function ddlXid(event: Uint8Array): bigint | undefined {
  if (event.length < STATUS_OFFSET) return undefined;
  const end = STATUS_OFFSET + u16At(event, STATUS_LENGTH_OFFSET);
  if (end > event.length) return undefined;
  let at = STATUS_OFFSET;
  while (at < end) {
    const code = event[at++]!;
    if (code === DDL_XID) return at + 8 <= end ? u64At(event, at) : undefined;
    const bytes = FIXED_BYTES.get(code) ?? sizeOf(code, event, at, end);
    if (bytes === undefined) return undefined;
    at += bytes;
  }
  return undefined;
}

/** Bytes of a variable whose size depends on it. */
function sizeOf(
  code: number,
  event: Uint8Array,
  at: number,
  end: number,
): number | undefined {
  const length = event[at]!;
  switch (code) {
    case 2: // catalog with NUL
      return 1 + length + 1;
    case 5: // time zone
    case 6: // catalog
      return 1 + length;
    case 11: { // invoker: user and host
      const host = at + 1 + length;
      return host < end ? 1 + length + 1 + event[host]! : undefined;
    }
    case 12: { // names of databases, each with NUL
      if (length === TOO_MANY_NAMES) return 1;
      let to = at + 1;
      for (let names = length; names > 0; names--) {
        const nul = event.indexOf(0, to);
        if (nul < 0 || nul >= end) return undefined;
        to = nul + 1;
      }
      return to - at;
    }
    default:
      return undefined;
  }
}
