import { eventBody } from "./_event_body.ts";
import { decodeFileName, encodeFileName } from "./_file_name.ts";
import { putU64, u64At } from "./_little_endian.ts";
import { makeEvent } from "./_made_event.ts";
import { type ChecksumAlgorithm, checksumBytes } from "./checksum.ts";
import { decodeEventHeader, HEADER_BYTES } from "./event_header.ts";
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
  return makeEvent(
    {
      timestamp: 0,
      type: EventType.ROTATE,
      serverId: options.serverId,
      logPos: 0,
      flags: EventFlag.ARTIFICIAL,
    },
    encodeBody(options.fileName, options.position),
    options.algorithm,
  );
}

/**
 * Makes a file's rotate lead to another name: the files of a log that has
 * changed its source may have other names than the source gave them. Its size
 * changes with the length of the name.
 *
 * @param event The whole event as the source wrote it; not changed.
 * @param options `fileName` to lead to; `startPosition` of the event in the file
 *   it is for; `algorithm` of that file.
 * @returns A whole event with the same time, server id and flags.
 * @throws {MalformedEventError} If `event` is no rotate.
 * @throws {RangeError} If the file name is empty or too long.
 */
export function renameRotate(
  event: Uint8Array,
  options: {
    fileName: string;
    startPosition: number;
    algorithm: ChecksumAlgorithm;
  },
): Uint8Array {
  const { position } = decodeRotate(event, options.algorithm);
  const { timestamp, type, serverId, flags } = decodeEventHeader(event);
  const body = encodeBody(options.fileName, position);
  const size = HEADER_BYTES + body.length + checksumBytes(options.algorithm);
  const logPos = options.startPosition + size;
  return makeEvent(
    { timestamp, type, serverId, logPos, flags },
    body,
    options.algorithm,
  );
}

function encodeBody(name: string, position: bigint): Uint8Array {
  const fileName = encodeFileName(name);
  const body = new Uint8Array(POSITION_BYTES + fileName.length);
  putU64(body, 0, position);
  body.set(fileName, POSITION_BYTES);
  return body;
}
