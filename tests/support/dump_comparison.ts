import { assertEquals } from "@std/assert";
import { checksumBytes, eventChecksumOk } from "../../lib/binlog/checksum.ts";
import {
  eventTypeAt,
  flagsAt,
  HEADER_BYTES,
  logPosAt,
} from "../../lib/binlog/event_header.ts";
import { eventTypeName } from "../../lib/binlog/event_type.ts";
import { ServerError } from "../../lib/protocol/server_error.ts";
import {
  DumpClient,
  type DumpClientOptions,
  isArtificialRotate,
  isHeartbeat,
} from "./dump_client.ts";
import type { KnownDifferenceName } from "./known_differences.ts";
import type { ServerAddress } from "./test_kingbus.ts";

/** What a server sends in answer to a dump command: events, then the end. */
export interface DumpTranscript {
  readonly events: Uint8Array[];
  /** "EOF", or the error. */
  readonly end: string;
}

/** Takes the whole answer of a server. */
export async function takeDump(
  address: ServerAddress,
  options: DumpClientOptions,
): Promise<DumpTranscript> {
  await using client = await DumpClient.open(address, options);
  const events: Uint8Array[] = [];
  try {
    for (;;) {
      const event = await client.next();
      if (event === null) return { events, end: "EOF" };
      events.push(event);
    }
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    return { events, end: `${error.code}: ${error.message}` };
  }
}

/** Whether the sender made the event up for the stream. */
function isArtificial(event: Uint8Array): boolean {
  return isHeartbeat(event) || isArtificialRotate(event);
}

/** The event without the server id of its sender, and without its checksum. */
function anonymous(event: Uint8Array): Uint8Array {
  const trailer = eventChecksumOk(event) ? checksumBytes("crc32") : 0;
  const copy = event.slice(0, event.length - trailer);
  copy.fill(0, 5, 9);
  return copy;
}

/** An event in one line. */
function describe(event: Uint8Array): string {
  const end = logPosAt(event, 0);
  const body = isArtificial(event)
    ? ` ${anonymous(event).subarray(HEADER_BYTES).toHex()}`
    : "";
  return `${
    eventTypeName(eventTypeAt(event, 0))
  } of ${event.length} bytes to ${end}, flags ${flagsAt(event, 0)}${body}`;
}

/** What may differ between two servers' answers. */
export interface AllowedDifferences {
  /**
   * The server id of the events that a sender makes up (artificial rotates and
   * heartbeats), and so their checksums.
   */
  readonly senderServerId: boolean;
  /** Where MySQL stood when it failed, after the error's own text. */
  readonly whereItFailed?: boolean;
}

/**
 * Compares two answers packet by packet: the sequence ids have been checked as
 * they came, so the same events in the same order are the same packets.
 *
 * @returns How many packets differed in what may differ.
 */
export function assertSameDump(
  actual: DumpTranscript,
  expected: DumpTranscript,
  allowed: AllowedDifferences,
): number {
  assertEquals(actual.events.map(describe), expected.events.map(describe));
  const ending = ({ end }: DumpTranscript): string =>
    allowed.whereItFailed ? end.replace(/; the first event '.*/, "") : end;
  assertEquals(ending(actual), ending(expected));
  let differing = 0;
  expected.events.forEach((event, index) => {
    const other = actual.events[index]!;
    if (other.toHex() === event.toHex()) return;
    const what = `packet ${index + 1}: ${describe(event)}`;
    if (!allowed.senderServerId || !isArtificial(event)) {
      assertEquals(other.toHex(), event.toHex(), what);
    }
    assertEquals(anonymous(other).toHex(), anonymous(event).toHex(), what);
    differing += 1;
  });
  return differing;
}

/**
 * Compares two answers of servers with the same identity, as
 * {@linkcode assertSameDump}, and says in what they differ that may.
 */
export function compareDumps(
  actual: DumpTranscript,
  expected: DumpTranscript,
): KnownDifferenceName[] {
  assertSameDump(actual, expected, {
    senderServerId: false,
    whereItFailed: true,
  });
  const found: KnownDifferenceName[] = [];
  if (actual.end !== expected.end) found.push("where-it-failed");
  const differs = expected.events.some((event, index) =>
    event.toHex() !== actual.events[index]!.toHex()
  );
  // nothing else is accepted by the comparison
  if (differs) found.push("checksum-of-unchecked-description");
  return found;
}
