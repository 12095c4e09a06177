import {
  FIRST_POSITION,
  type StoredFile,
} from "../../lib/store/binlog_store.ts";
import type { LogSnapshot } from "../../lib/store/log_snapshot.ts";
import { joinBytes, splitPackets } from "./dump_packets.ts";

/**
 * Reads what is visible of a stored file as the bytes of the file itself, from
 * position 4 on: the framing is taken off again.
 */
export async function readFile(
  store: LogSnapshot,
  file: StoredFile,
): Promise<Uint8Array> {
  const reader = await store.openReader({
    fileNumber: file.number,
    position: FIRST_POSITION,
  });
  const framed: Uint8Array[] = [];
  for (;;) {
    const slice = await reader.next();
    if (slice === undefined) break;
    framed.push(slice.bytes.slice());
  }
  let goesOn = false;
  return joinBytes(
    splitPackets(joinBytes(framed)).map(({ payload }) => {
      const body = goesOn ? payload : payload.subarray(1);
      goesOn = payload.length === 0xff_ffff;
      return body;
    }),
  );
}
