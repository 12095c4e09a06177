import { assertEquals } from "@std/assert";
import { eventChecksumOk } from "../../lib/binlog/checksum.ts";
import { decodeHeartbeat } from "../../lib/binlog/heartbeat.ts";
import { logPosAt } from "../../lib/binlog/event_header.ts";
import { decodeRotate } from "../../lib/binlog/rotate.ts";
import { Command } from "../../lib/protocol/command.ts";
import {
  decodeHandshakeV10,
  type HandshakeV10,
} from "../../lib/protocol/handshake.ts";
import { decodeErr, isErr } from "../../lib/protocol/response.ts";
import { isArtificialRotate, isHeartbeat } from "./dump_client.ts";
import type { DumpTranscript } from "./dump_comparison.ts";
import type { SeenPacket } from "./dump_packets.ts";
import type { RecordedConnection, RecordedPacket } from "./recording_proxy.ts";

/** A command and all that came in answer to it. */
export interface Exchange {
  readonly command: Uint8Array;
  readonly answer: readonly SeenPacket[];
}

/** One connection's life, taken apart. */
export interface Conversation {
  readonly greeting: HandshakeV10;
  /** The capabilities that both sides have. */
  readonly capabilities: number;
  /** The server's last word on the login. */
  readonly loggedIn: Uint8Array;
  /** Commands before a dump, in order, COM_QUIT left out. */
  readonly exchanges: readonly Exchange[];
  /** The dump command with all packets in answer to it, if there was one. */
  readonly dump: Exchange | undefined;
  /** What the client sent during the dump. */
  readonly said: readonly Uint8Array[];
}

const DUMP_COMMANDS: readonly number[] = [
  Command.BINLOG_DUMP,
  Command.BINLOG_DUMP_GTID,
];

/**
 * Takes the record of a connection apart; undefined for one that did not get
 * through its login.
 */
export function conversationOf(
  { packets }: RecordedConnection,
): Conversation | undefined {
  const end = packets.findIndex(endsLogin);
  const [first, response] = packets;
  if (end < 0 || first === undefined || response === undefined) {
    return undefined;
  }
  const greeting = decodeHandshakeV10(first.payload);
  const { buffer, byteOffset } = response.payload;
  const asked = new DataView(buffer, byteOffset).getUint32(0, true);
  const exchanges: { command: Uint8Array; answer: SeenPacket[] }[] = [];
  const said: Uint8Array[] = [];
  let dump: { command: Uint8Array; answer: SeenPacket[] } | undefined;
  for (const packet of packets.slice(end + 1)) {
    const { from, sequenceId, payload } = packet;
    if (from === "server") {
      (dump ?? exchanges.at(-1))?.answer.push({ sequenceId, payload });
    } else if (dump !== undefined) {
      said.push(payload);
    } else if (DUMP_COMMANDS.includes(payload[0]!)) {
      dump = { command: payload, answer: [] };
    } else if (payload[0] !== Command.QUIT) {
      exchanges.push({ command: payload, answer: [] });
    }
  }
  return {
    greeting,
    capabilities: (asked & greeting.capabilities) >>> 0,
    loggedIn: packets[end]!.payload,
    exchanges,
    dump,
    said,
  };
}

/** Whether the server accepts or refuses the client with this packet. */
function endsLogin({ from, payload }: RecordedPacket, index: number): boolean {
  return from === "server" && index > 0 &&
    (payload[0] === 0x00 || payload[0] === 0xff);
}

/**
 * What a dump's packets carry. Sequence ids have to count from the command on.
 *
 * @param dump complete or broken off
 * @returns The end is empty for a dump that was broken off.
 */
export function transcriptOf({ answer }: Exchange): DumpTranscript {
  const events: Uint8Array[] = [];
  let end = "";
  answer.forEach(({ sequenceId, payload }, index) => {
    if (payload[0] === 0x00) {
      assertEquals(sequenceId, (index + 1) & 0xff, "sequence id of a packet");
      events.push(payload.subarray(1));
    } else if (isErr(payload)) {
      const { code, message } = decodeErr(payload);
      end = `${code}: ${message}`;
    } else {
      end = "EOF";
    }
  });
  return { events, end };
}

/** Where a dump's reader stands. */
interface Place {
  file: string;
  position: number;
}

/** Moves a reader's place on by one event; says whether it moved. */
function advance(place: Place, event: Uint8Array): boolean {
  const { file, position } = place;
  const algorithm = eventChecksumOk(event) ? "crc32" : "none";
  if (isArtificialRotate(event)) {
    const rotate = decodeRotate(event, algorithm);
    place.file = rotate.fileName;
    place.position = Number(rotate.position);
  } else if (isHeartbeat(event)) {
    place.position = Number(decodeHeartbeat(event, algorithm).position);
  } else if (logPosAt(event, 0) !== 0) {
    place.position = logPosAt(event, 0);
  }
  return place.file !== file || place.position !== position;
}

/**
 * A dump without the heartbeats that only say that nothing happens. One that
 * tells of transactions that were left out stays.
 */
export function withoutIdleHeartbeats(dump: DumpTranscript): DumpTranscript {
  const place = { file: "", position: 0 };
  const events = dump.events.filter((event) => {
    const moved = advance(place, event);
    return moved || !isHeartbeat(event);
  });
  return { events, end: dump.end };
}

/** File and position that a dump has come to. */
export function endOfDump(dump: DumpTranscript): Place {
  const place = { file: "", position: 0 };
  for (const event of dump.events) advance(place, event);
  return place;
}
