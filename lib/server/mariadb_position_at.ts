import { eventSizeAt } from "../binlog/event_header.ts";
import { MariadbGtidReader } from "../binlog/mariadb_gtid_event.ts";
import { formatMariadbGtidPosition } from "../gtid/mariadb_gtid_position.ts";
import { MariadbGtidState } from "../gtid/mariadb_gtid_state.ts";
import { FIRST_POSITION } from "../store/binlog_store.ts";
import { PacketWalk } from "./packet_walk.ts";
import type { ServerStore } from "./server_store.ts";

/** A place in the log as a client names it. */
export interface LogPlace {
  /** Empty: the oldest file. */
  readonly fileName: string | null;
  readonly position: number | null;
}

/**
 * Where a place in a MariaDB log is by GTID: the newest GTID of each domain
 * that begins before it (`gtid_state_from_pos` in MariaDB's `sql/sql_repl.cc`).
 *
 * @returns the GTIDs as text; null if no event begins there
 * @throws {StoreError} if the log can't be read
 */
export async function mariadbPositionAt(
  store: Pick<ServerStore, "files" | "openReader">,
  place: LogPlace,
  signal: AbortSignal,
): Promise<string | null> {
  if (place.fileName === null || place.position === null) return null;
  const file = place.fileName === ""
    ? store.files[0]
    : store.files.find(({ name }) => name === place.fileName);
  const wanted = Math.max(FIRST_POSITION, place.position);
  if (file === undefined || wanted > file.size) return null;
  const state = file.mariadbStart ?? new MariadbGtidState();
  const answer = () => formatMariadbGtidPosition(state.position());
  const gtid = new MariadbGtidReader();
  const walk = new PacketWalk();
  const reader = await store.openReader({
    fileNumber: file.number,
    position: FIRST_POSITION,
  });
  let position = FIRST_POSITION;
  while (position < wanted && !signal.aborted) {
    const slice = await reader.next();
    if (slice === undefined) break;
    const run = slice.bytes;
    for (let at = 0; at < run.length && position < wanted;) {
      const event = walk.bodyAt(at);
      const begins = !walk.insideEvent;
      const end = walk.step(run, at);
      if (begins && event + eventSizeAt(run, event) <= run.length) {
        if (gtid.read(run, event, eventSizeAt(run, event))) {
          state.addParts(gtid.domain, gtid.server, gtid.sequence);
        }
      }
      position += walk.bytes;
      at = end;
    }
  }
  return position === wanted && !walk.insideEvent ? answer() : null;
}
