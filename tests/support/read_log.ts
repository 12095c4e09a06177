import type { LogReader } from "../../lib/store/binlog_store.ts";
import type { LogSnapshot } from "../../lib/store/log_snapshot.ts";
import { joinBytes } from "./dump_packets.ts";

/** Reads framed bytes up to where the reader stops. */
export async function readFramed(reader: LogReader): Promise<Uint8Array> {
  const runs: Uint8Array[] = [];
  for (;;) {
    const slice = await reader.next();
    if (slice === undefined) return joinBytes(runs);
    runs.push(slice.bytes.slice());
  }
}

/**
 * Takes the framing off, so that the bytes of the file are left. The last
 * packet may be cut.
 *
 * @param framed from the begin of an event on
 */
export function unframe(framed: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  let goesOn = false;
  for (let at = 0; at < framed.length;) {
    const payload = framed[at]! | framed[at + 1]! << 8 | framed[at + 2]! << 16;
    parts.push(framed.subarray(at + (goesOn ? 4 : 5), at + 4 + payload));
    goesOn = payload === 0xff_ffff;
    at += 4 + payload;
  }
  return joinBytes(parts);
}

/** Reads a file from a position to its visible end, as bytes of the file. */
export async function readFrom(
  store: LogSnapshot,
  fileNumber: number,
  position: number,
): Promise<Uint8Array> {
  const reader = await store.openReader({ fileNumber, position });
  return unframe(await readFramed(reader));
}
