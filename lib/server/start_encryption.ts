import { CHECKSUM_BYTES } from "../binlog/checksum.ts";
import { EventType } from "../binlog/event_type.ts";
import { moveEvent } from "../binlog/move_event.ts";
import {
  type BinlogStore,
  FIRST_POSITION,
  type StoredFile,
} from "../store/binlog_store.ts";
import { EventWalk } from "../store/event_walk.ts";
import { PACKET_HEADER_BYTES } from "../store/framing.ts";

/**
 * What MariaDB sends behind the format description to a dump that begins inside
 * a file that it keeps encrypted: the event that says so, without a position.
 * The events come in the clear all the same (MariaDB source:
 * `send_format_descriptor_event` in `sql/sql_repl.cc`).
 *
 * @returns undefined for a file that is not encrypted at its server.
 * @throws {StoreError} when the file can't be read any more
 */
export async function startEncryptionOf(
  store: Pick<BinlogStore, "openReader">,
  file: StoredFile,
): Promise<Uint8Array | undefined> {
  const position = FIRST_POSITION + file.formatDescription.length;
  if (position >= file.size) return undefined;
  const reader = await store.openReader({ fileNumber: file.number, position });
  const slice = await reader.next();
  if (slice === undefined) return undefined;
  const walk = new EventWalk(slice.bytes, 0, position);
  if (!walk.next() || walk.isCut) return undefined;
  if (walk.type !== EventType.MARIADB_START_ENCRYPTION) return undefined;
  const event = slice.bytes.slice(
    walk.offset + PACKET_HEADER_BYTES + 1,
    walk.end,
  );
  const trailer = file.checksumAlgorithm === "none" ? 0 : CHECKSUM_BYTES;
  moveEvent(event, 0, event.length, 0, trailer);
  return event;
}
