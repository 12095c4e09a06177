import { GtidSet, MalformedGtidSetError } from "../gtid/gtid_set.ts";
import { eventBody } from "./_event_body.ts";
import { makeEvent } from "./_made_event.ts";
import { type ChecksumAlgorithm, checksumBytes } from "./checksum.ts";
import { HEADER_BYTES } from "./event_header.ts";
import { EventFlag, EventType } from "./event_type.ts";
import { MalformedEventError } from "./malformed_event_error.ts";

/**
 * Reads a PREVIOUS_GTIDS_LOG_EVENT: the GTIDs of all files before this one.
 *
 * @param event The whole event.
 * @param algorithm How it ends.
 * @returns The set.
 * @throws {MalformedEventError} If it is not such an event.
 */
export function decodePreviousGtids(
  event: Uint8Array,
  algorithm: ChecksumAlgorithm,
): GtidSet {
  const body = eventBody(event, algorithm, EventType.PREVIOUS_GTIDS, 0);
  try {
    return GtidSet.decode(body);
  } catch (error) {
    if (!(error instanceof MalformedGtidSetError)) throw error;
    throw new MalformedEventError(
      `Cannot decode Previous_gtids event: ${error.message}`,
      EventType.PREVIOUS_GTIDS,
      { cause: error },
    );
  }
}

/**
 * Makes a PREVIOUS_GTIDS_LOG_EVENT for a file that kingbus itself begins.
 *
 * @param set GTIDs of all files before.
 * @param options `timestamp` in seconds since 1970; `serverId` of the writer;
 *   `position` of the event's first byte in the file; `algorithm` of the file;
 *   `tagged` as {@linkcode GtidSet.encode}.
 * @returns The whole event.
 */
export function encodePreviousGtids(
  set: GtidSet,
  options: {
    timestamp: number;
    serverId: number;
    position: number;
    algorithm: ChecksumAlgorithm;
    tagged?: boolean;
  },
): Uint8Array {
  const body = set.encode(
    options.tagged === undefined ? {} : { tagged: options.tagged },
  );
  const size = HEADER_BYTES + body.length + checksumBytes(options.algorithm);
  return makeEvent(
    {
      timestamp: options.timestamp,
      type: EventType.PREVIOUS_GTIDS,
      serverId: options.serverId,
      logPos: options.position + size,
      flags: EventFlag.IGNORABLE,
    },
    body,
    options.algorithm,
  );
}
