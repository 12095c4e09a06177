import { checksumBytes } from "../../lib/binlog/checksum.ts";
import {
  eventTypeAt,
  flagsAt,
  HEADER_BYTES,
  timestampAt,
} from "../../lib/binlog/event_header.ts";
import { EventType } from "../../lib/binlog/event_type.ts";
import { decodeFormatDescription } from "../../lib/binlog/format_description.ts";
import { GtidReader } from "../../lib/binlog/gtid_event.ts";
import { decodePreviousGtids } from "../../lib/binlog/previous_gtids.ts";
import {
  BoundaryStep,
  TransactionBoundary,
} from "../../lib/binlog/transaction_boundary.ts";
import {
  BLOCK_BYTES_MAX,
  type LogWriter,
} from "../../lib/store/binlog_store.ts";
import { DumpScanner, type PacketSink } from "../../lib/syncer/dump_scanner.ts";
import { dumpPackets, joinBytes, randomChunks } from "./dump_packets.ts";
import type { SeededRandom } from "./seeded_random.ts";

const FRAME_BYTES = 5;

/**
 * Appends events to a log as a source's stream brings them: framed, cut at
 * random if a random number generator is given, in buffers that hold garbage
 * as soon as they may.
 */
export class LogFeeder implements PacketSink {
  readonly #writer: LogWriter;
  readonly #random: SeededRandom | undefined;
  #scanner!: DumpScanner;
  #sequenceId = 1;
  #boundary = new TransactionBoundary();
  readonly #gtid = new GtidReader();
  #inGtid = false;
  #trailerBytes = 0;
  #large: Uint8Array[] = [];
  #largeStep: BoundaryStep = BoundaryStep.INSIDE;

  /**
   * @param writer where events go
   * @param random cuts the stream; without it events come in one piece
   */
  constructor(writer: LogWriter, random?: SeededRandom) {
    this.#writer = writer;
    this.#random = random;
    this.reset();
  }

  /** Begins anew at a boundary, as after a lost connection. */
  reset(): void {
    this.#scanner = new DumpScanner(this, BLOCK_BYTES_MAX, {
      sequenceId: this.#sequenceId,
    });
    this.#boundary = new TransactionBoundary();
    this.#inGtid = false;
  }

  replyWanted(): void {
    throw new TypeError("No reply can be wanted here");
  }

  /** Begins a file. */
  startFile(name: string, serverUuid = ""): void {
    this.#writer.startFile({ name, serverUuid });
  }

  /** Appends whole events. */
  push(events: readonly Uint8Array[]): void {
    const stream = dumpPackets(events, this.#sequenceId);
    this.#sequenceId = (this.#sequenceId + packetCount(events)) & 0xff;
    const random = this.#random;
    const chunks = random === undefined
      ? [stream]
      : randomChunks(stream, (max) => random.integer(0, max));
    for (const chunk of chunks) {
      this.#scanner.push(chunk);
      if (random?.chance(0.3)) this.#writer.copyPending();
      else this.#writer.endOfInput();
      chunk.fill(0xee);
    }
    this.#writer.endOfInput();
  }

  run(): void {
    // Checksums are not what is tested here.
  }

  packet(bytes: Uint8Array, start: number, end: number): void {
    const at = start + FRAME_BYTES;
    const type = eventTypeAt(bytes, at);
    const writer = this.#writer;
    if (type === EventType.FORMAT_DESCRIPTION) {
      const event = bytes.slice(at, end);
      const { checksumAlgorithm } = decodeFormatDescription(event);
      this.#trailerBytes = checksumBytes(checksumAlgorithm);
      writer.describeFile(event, checksumAlgorithm);
    }
    const size = end - at;
    const step = this.#boundary.step(type, bytes, at, size, this.#trailerBytes);
    const begins = this.#gtid.read(bytes, at, size);
    if (begins) this.#inGtid = true;
    writer.event(bytes, start, end, timestampAt(bytes, at), !this.#inGtid);
    if (begins) {
      const { uuid, tag, gno } = this.#gtid;
      writer.beginTransaction(uuid, tag, gno);
    }
    if (step === BoundaryStep.INSIDE) return;
    if (type === EventType.PREVIOUS_GTIDS) this.#previous(bytes.slice(at, end));
    this.#inGtid = false;
    writer.boundary(step === BoundaryStep.ENDS);
  }

  reclaim(): void {
    this.#writer.copyPending();
  }

  largeStart(bytes: Uint8Array, start: number, end: number): void {
    const at = start + FRAME_BYTES;
    this.#large = [bytes.slice(at, end)];
    this.#largeStep = this.#boundary.stepLarge(
      eventTypeAt(bytes, at),
      flagsAt(bytes, at),
    );
    this.#writer.beginEvent(timestampAt(bytes, at), !this.#inGtid);
    this.#writer.eventHeader(bytes, start, at);
    this.#writer.eventBody(bytes, at, at + HEADER_BYTES);
  }

  largeHeader(bytes: Uint8Array, start: number, end: number): void {
    this.#writer.eventHeader(bytes, start, end);
  }

  largeBody(bytes: Uint8Array, start: number, end: number): void {
    this.#large.push(bytes.slice(start, end));
    this.#writer.eventBody(bytes, start, end);
  }

  largeEnd(): void {
    if (this.#largeStep === BoundaryStep.INSIDE) return;
    const event = joinBytes(this.#large);
    if (eventTypeAt(event, 0) === EventType.PREVIOUS_GTIDS) {
      this.#previous(event);
    }
    this.#inGtid = false;
    this.#writer.boundary(this.#largeStep === BoundaryStep.ENDS);
  }

  #previous(event: Uint8Array): void {
    this.#writer.previousGtids(
      decodePreviousGtids(event, this.#trailerBytes === 0 ? "none" : "crc32"),
    );
  }
}

/** How many packets carry these events. */
function packetCount(events: readonly Uint8Array[]): number {
  let count = 0;
  for (const event of events) {
    count += Math.floor((event.length + 1) / 0xff_ffff) + 1;
  }
  return count;
}
