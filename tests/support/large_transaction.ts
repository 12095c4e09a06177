import { EventType } from "../../lib/binlog/event_type.ts";
import { parseUuid } from "../../lib/gtid/uuid.ts";
import { bareEvent, queryEvent } from "./made_events.ts";

/** Sets the position an event ends at; returns that position. */
function place(event: Uint8Array, position: number): number {
  const end = position + event.length;
  new DataView(event.buffer).setUint32(13, end % 0x1_0000_0000, true);
  return end;
}

/**
 * Makes a transaction with one rows event of any size, for a file without
 * checksums.
 *
 * @param options where in the file it begins, bytes of the rows event, GTID
 */
export function largeRowsTransaction(options: {
  position: number;
  rowsBytes: number;
  uuid: string;
  gno: bigint;
}): Uint8Array[] {
  const gtidBody = new Uint8Array(25);
  gtidBody.set(parseUuid(options.uuid), 1);
  new DataView(gtidBody.buffer).setBigUint64(17, options.gno, true);
  const rows = new Uint8Array(options.rowsBytes - 19);
  for (let at = 0; at < rows.length; at += 1000) rows[at] = at / 1000;
  const events = [
    bareEvent(EventType.GTID, { body: gtidBody, trailerBytes: 0 }),
    queryEvent("BEGIN", { trailerBytes: 0 }),
    bareEvent(EventType.TABLE_MAP, {
      body: new Uint8Array(20),
      trailerBytes: 0,
    }),
    bareEvent(EventType.WRITE_ROWS, { body: rows, trailerBytes: 0 }),
    bareEvent(EventType.XID, { body: new Uint8Array(8), trailerBytes: 0 }),
  ];
  let position = options.position;
  for (const event of events) position = place(event, position);
  return events;
}
