import { eventBody } from "./_event_body.ts";
import { decodeFileName, encodeFileName } from "./_file_name.ts";
import { putU64, u64At } from "./_little_endian.ts";
import { makeEvent } from "./_made_event.ts";
import type { ChecksumAlgorithm } from "./checksum.ts";
import { EventFlag, EventType } from "./event_type.ts";

/** Bytes of the position in front of the file name. */
const POSITION_BYTES = 8;

/** Where the log goes on. */
export interface Rotate {
  /** Position of the next event in the new file. */
  readonly position: bigint;
  /** Base name of the new file. */
  readonly fileName: string;
}

/**
 * Reads a ROTATE_EVENT (`Rotate_event` in MySQL's `control_events.cpp`), one
 * from a file or an artificial one.
 *
 * @param event The whole event.
 * @param algorithm How it ends.
 * @returns Where the log goes on.
 * @throws {MalformedEventError} If it is not such an event.
 */
export function decodeRotate(
  event: Uint8Array,
  algorithm: ChecksumAlgorithm,
): Rotate {
  const body = eventBody(event, algorithm, EventType.ROTATE, POSITION_BYTES);
  return {
    position: u64At(body, 0),
    fileName: decodeFileName(body.subarray(POSITION_BYTES), EventType.ROTATE),
  };
}

/**
 * Makes the rotate a dump sends in front of each file
 * (`Binlog_sender::fake_rotate_event` in `sql/rpl_binlog_sender.cc`): timestamp
 * and end position 0, flag ARTIFICIAL.
 *
 * @param options `serverId` of the sender, `fileName` and `position` of the next
 *   event, `algorithm` to end it with: what the replica asked for in the first
 *   rotate of a dump, later that of the file sent before.
 * @returns The whole event.
 * @throws {RangeError} If the file name is empty or too long.
 */
export function encodeArtificialRotate(options: {
  serverId: number;
  fileName: string;
  position: bigint;
  algorithm: ChecksumAlgorithm;
}): Uint8Array {
  const fileName = encodeFileName(options.fileName);
  const body = new Uint8Array(POSITION_BYTES + fileName.length);
  putU64(body, 0, options.position);
  body.set(fileName, POSITION_BYTES);
  return makeEvent(
    {
      timestamp: 0,
      type: EventType.ROTATE,
      serverId: options.serverId,
      logPos: 0,
      flags: EventFlag.ARTIFICIAL,
    },
    body,
    options.algorithm,
  );
}
