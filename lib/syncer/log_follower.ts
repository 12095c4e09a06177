import { CRC32_RESIDUE, crc32At } from "../binlog/crc32_at.ts";
import {
  eventSizeAt,
  eventTypeAt,
  flagsAt,
  HEADER_BYTES,
  logPosAt,
} from "../binlog/event_header.ts";
import { EventFlag, EventType, eventTypeName } from "../binlog/event_type.ts";
import { decodeHeartbeat } from "../binlog/heartbeat.ts";
import { decodeRotate, renameRotate } from "../binlog/rotate.ts";
import type { GtidSet } from "../gtid/gtid_set.ts";
import { decodeErr } from "../protocol/response.ts";
import {
  BLOCK_BYTES_MAX,
  FIRST_POSITION,
  type LogWriter,
} from "../store/binlog_store.ts";
import {
  type AppendFaultKind,
  EventAppender,
} from "../store/event_appender.ts";
import { FRAME_BYTES, PACKET_HEADER_BYTES } from "../store/framing.ts";
import { DumpScanner, type PacketSink } from "./dump_scanner.ts";
import { FileNames } from "./file_names.ts";
import { isSameFile } from "./same_file.ts";
import { SourceError } from "./source_error.ts";
import { appendWhole, Splice, type SpliceParts } from "./splice.ts";

/** First byte of a payload that carries an event, ends the dump, or is an error. */
const STATUS_EVENT = 0x00;
const STATUS_EOF = 0xfe;
const STATUS_ERR = 0xff;

/** Positions in event headers start over there. */
const POSITION_WRAP = 0x1_0000_0000;

/** What a follower tells of what passed. */
export interface FollowerEvents {
  /** The source began or went on with a file. */
  fileStarted(name: string): void;
  /** The source said that it has nothing more to send. */
  heartbeat?(): void;
  /** The source waits until the log up to the writer's position is acknowledged. */
  replyWanted?(): void;
}

/** What a follower has to know of the source besides what it sends. */
export interface FollowerContext {
  /**
   * The stored format description of the file that the dump goes on with;
   * absent when it begins with a file.
   */
  readonly resumed?: Uint8Array | undefined;
  /**
   * GTIDs that the source has and that none of its files holds. They may be
   * missing in its files' Previous_gtids: MySQL 5.6 has them only in files begun
   * after `gtid_purged` was set, later versions never.
   */
  readonly purged?: GtidSet;
  /**
   * Sizes by name of the files that were closed when the dump began. If given,
   * a file may end without an event that says so only where it ended then.
   */
  readonly closedFiles?: ReadonlyMap<string, number> | undefined;
  /** Whether the dump is a semi-synchronous one. */
  readonly semiSync?: boolean;
  /** False if the ids of its packets count nothing; see `PacketDecoderOptions`. */
  readonly numbered?: boolean;
  /** What the log calls the source's files; by the same names if absent. */
  readonly names?: FileNames | undefined;
  /** True when nothing more comes for the file that the log ends in. */
  readonly fileEnded?: boolean | undefined;
  /** For a dump by GTID, after a change of source. */
  readonly splice?: SpliceStart | undefined;
}

/** See `SpliceParts`. */
export type SpliceStart = Pick<SpliceParts, "open" | "fresh">;

/**
 * Takes a dump from file and position and appends it to the log, byte for
 * byte. Of what the source sends it leaves out what was made up for the stream
 * alone (artificial rotates, heartbeats, the format description of a resumed
 * file); the rest is for the `EventAppender` to check and append. Where the log
 * calls the next file otherwise than the source, rotates lead to that name. What
 * comes by GTID goes through a `Splice` first.
 */
export class LogFollower implements PacketSink {
  readonly #writer: LogWriter;
  readonly #scanner: DumpScanner;
  readonly #appender: EventAppender;
  readonly #events: FollowerEvents;
  readonly #context: FollowerContext;
  readonly #names: FileNames;
  /** While the source sends by GTID what does not make whole files. */
  #splice: Splice | undefined;
  /** Where the source's file goes on after the last event of a splice. */
  #splicedAt = 0;
  /** A large event is under way that is not to be appended. */
  #largeDropped = false;
  /** Events have checksums since the last format description, if its file has. */
  #sawFormat = false;
  /** Type of the file's last event that came by this dump; 0: none did. */
  #lastType = 0;
  #ended = false;
  /** Where the source had nothing more; at first where the dump begins. */
  #caughtUpAt: { fileName: string; position: number };
  #unendedAt: { fileName: string; position: number } | undefined;

  /**
   * @param writer where events go; stands where the dump begins
   * @param serverUuid UUID of the source; empty if it has none
   * @param events told of what passed
   * @param context what else it has to know
   */
  constructor(
    writer: LogWriter,
    serverUuid: string,
    events: FollowerEvents,
    context: FollowerContext = {},
  ) {
    this.#writer = writer;
    this.#appender = new EventAppender(writer, {
      serverUuid,
      purged: context.purged,
      fault: sourceFault,
    });
    const { fileName, position } = writer;
    this.#caughtUpAt = { fileName, position };
    this.#events = events;
    this.#context = context;
    this.#names = context.names ?? namesAsTheyAre(writer.fileName);
    this.#splice = context.splice && new Splice({
      ...context.splice,
      writer,
      appender: this.#appender,
      names: this.#names,
      fileStarted: (name) => events.fileStarted(name),
    });
    if (context.fileEnded === true) this.#lastType = EventType.ROTATE;
    this.#scanner = new DumpScanner(this, BLOCK_BYTES_MAX, {
      semiSync: context.semiSync ?? false,
      numbered: context.numbered ?? true,
    });
  }

  /** True once the source ended the dump of its own accord. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Where a file ended that should not have, if the dump was given up for that. */
  get unendedAt(): { fileName: string; position: number } | undefined {
    return this.#unendedAt;
  }

  /**
   * Where the source's own file goes on after the event that was appended last:
   * the log may call the file otherwise, and have the event elsewhere.
   */
  get sourcePosition(): { fileName: string; position: bigint } {
    const fileName = this.#names.sourceName;
    return this.#splice === undefined
      ? { fileName, position: BigInt(this.#writer.position) }
      : {
        fileName: this.#splice.sourceName,
        position: BigInt(this.#splicedAt),
      };
  }

  /**
   * True when nothing has come since the source said that there is nothing more
   * to send, or since the dump began.
   */
  get caughtUp(): boolean {
    const { fileName, position } = this.#writer;
    return this.#caughtUpAt.fileName === fileName &&
      this.#caughtUpAt.position === position;
  }

  /**
   * Takes that the source has nothing more to send than what has come: it said
   * so here, in a heartbeat, or elsewhere.
   */
  endReached(): void {
    const { fileName, position } = this.#writer;
    this.#caughtUpAt = { fileName, position };
  }

  /** True between two packets. */
  get atPacketEnd(): boolean {
    return this.#scanner.atPacketEnd;
  }

  /**
   * Takes the next bytes from the source. They may be reused after the call,
   * and are not what they were.
   *
   * @throws {SourceError} when the source reports an error or sent what can't
   * follow; {ServerError} as the source sent it
   */
  push(chunk: Uint8Array): void {
    this.#scanner.push(chunk);
    this.#writer.endOfInput();
  }

  run(bytes: Uint8Array, start: number): void {
    this.#appender.run(bytes, start);
  }

  packet(bytes: Uint8Array, start: number, end: number): void {
    const at = start + FRAME_BYTES;
    if (end < at || bytes[start + PACKET_HEADER_BYTES] !== STATUS_EVENT) {
      this.#notAnEvent(bytes.slice(start + PACKET_HEADER_BYTES, end));
      return;
    }
    if (end - at >= HEADER_BYTES && this.#isForStreamOnly(bytes, at, end)) {
      return;
    }
    if (this.#splice !== undefined) {
      this.#noteSpliced(bytes, at);
      const takes = this.#splice.takes(bytes, at, end);
      if (this.#splice.isOver) this.#splice = undefined;
      if (!takes) return;
    }
    const type = eventTypeAt(bytes, at);
    this.#lastType = type;
    if (type === EventType.ROTATE || type === EventType.STOP) {
      this.#endFile(type, bytes, start, end);
    } else {
      this.#appender.event(bytes, start, end);
    }
  }

  reclaim(): void {
    this.#writer.copyPending();
  }

  largeStart(bytes: Uint8Array, start: number, end: number): void {
    if (bytes[start + PACKET_HEADER_BYTES] !== STATUS_EVENT) {
      throw new SourceError(
        "stream",
        "The source sent a large packet that is no event",
      );
    }
    const at = start + FRAME_BYTES;
    if (this.#splice !== undefined) this.#noteSpliced(bytes, at);
    this.#largeDropped = this.#splice?.takesLarge(bytes, at, end) === false;
    if (!this.#largeDropped) this.#appender.beginLarge(bytes, at, end);
  }

  largeHeader(): void {
    // The appender frames the event anew, and knows its size.
  }

  largeBody(bytes: Uint8Array, start: number, end: number): void {
    if (this.#largeDropped) this.#splice?.takeLargeBody(bytes, start, end);
    else this.#appender.largeBody(bytes, start, end);
  }

  largeEnd(): void {
    if (!this.#largeDropped) {
      this.#appender.endLarge();
      return;
    }
    this.#splice?.takeLargeEnd();
    if (this.#splice?.isOver) this.#splice = undefined;
  }

  replyWanted(): void {
    this.#events.replyWanted?.();
  }

  /** Deals with events that are not part of the file; false for all others. */
  #isForStreamOnly(bytes: Uint8Array, at: number, end: number): boolean {
    const type = eventTypeAt(bytes, at);
    switch (type) {
      case EventType.ROTATE:
        if ((flagsAt(bytes, at) & EventFlag.ARTIFICIAL) === 0) return false;
        this.#artificialRotate(checkedSize(bytes.slice(at, end)));
        return true;
      case EventType.FORMAT_DESCRIPTION:
        return this.#formatDescription(checkedSize(bytes.slice(at, end)));
      case EventType.HEARTBEAT:
      case EventType.HEARTBEAT_V2:
        this.#heartbeat(checkedSize(bytes.slice(at, end)), type);
        return true;
      case EventType.MARIADB_GTID_LIST:
        // How far a dump by GTID is; the file's own one is not marked so.
        return (flagsAt(bytes, at) & EventFlag.ARTIFICIAL) !== 0;
      case EventType.MARIADB_START_ENCRYPTION:
        // Sent once more, and without a position, where a file is gone on with.
        // The events themselves come decrypted.
        return logPosAt(bytes, at) === 0;
      default:
        return false;
    }
  }

  #artificialRotate(event: Uint8Array): void {
    // The first one has a checksum only if the session asked for checksums
    // and the server has them; later ones follow the file just ended.
    const summed = isIntact(event);
    if (!summed && this.#sawFormat) this.#checkSum(event);
    const to = decodeRotate(event, summed ? "crc32" : "none");
    const writer = this.#writer;
    const { sourceName } = this.#names;
    this.#sawFormat = false;
    if (
      this.#splice === undefined && to.fileName === sourceName &&
      to.position === BigInt(writer.position)
    ) {
      this.#events.fileStarted(writer.fileName);
      return;
    }
    if (to.position !== BigInt(FIRST_POSITION)) {
      throw new SourceError(
        "stream",
        `The source went on at ${to.fileName} position ${to.position}, expected ${sourceName} position ${writer.position}`,
      );
    }
    if (this.#splice !== undefined) {
      this.#splice.startFile(to.fileName);
      this.#splicedAt = Number(to.position);
      return;
    }
    this.#checkEnded(to.fileName);
    this.#lastType = 0;
    const name = this.#names.begin(to.fileName);
    this.#appender.startFile(name, { sourceName: to.fileName });
    this.#events.fileStarted(name);
  }

  /** Headers have 32 bits of the position, which only grows in a file. */
  #noteSpliced(bytes: Uint8Array, at: number): void {
    const before = this.#splicedAt;
    const position = before - before % POSITION_WRAP + logPosAt(bytes, at);
    this.#splicedAt = position < before ? position + POSITION_WRAP : position;
  }

  /** Appends the last event of a file. */
  #endFile(type: number, bytes: Uint8Array, start: number, end: number): void {
    const renamed = type === EventType.ROTATE
      ? this.#renamed(checkedSize(bytes.slice(start + FRAME_BYTES, end)))
      : undefined;
    if (renamed === undefined) this.#appender.event(bytes, start, end);
    else appendWhole(this.#appender, renamed);
    if (renamed === undefined && this.#splice === undefined) return;
    // Positions at its end are not the source's, or it will not be gone on with.
    this.#writer.closeFile();
    this.#splice?.fileEnded();
  }

  /**
   * A file's rotate as it leads to what the log calls the next file; undefined
   * when that is its name at the source, too.
   */
  #renamed(event: Uint8Array): Uint8Array | undefined {
    this.#checkSum(event);
    const algorithm = this.#appender.checksumAlgorithm;
    const to = decodeRotate(event, algorithm);
    const fileName = this.#names.nameAfter(to.fileName);
    if (fileName === to.fileName) return undefined;
    const startPosition = this.#writer.position;
    return renameRotate(event, { fileName, startPosition, algorithm });
  }

  /** True for the format description of a file that is gone on with. */
  #formatDescription(event: Uint8Array): boolean {
    this.#sawFormat = true;
    if (this.#splice !== undefined) {
      this.#splice.takeFormat(event);
      return true;
    }
    if (this.#writer.position === FIRST_POSITION) return false;
    this.#appender.resumeFile(event);
    this.#checkSameFile(event);
    return true;
  }

  /** Makes sure that the file gone on with is the one whose begin is here. */
  #checkSameFile(format: Uint8Array): void {
    const { resumed } = this.#context;
    if (resumed === undefined || isSameFile(format, resumed)) return;
    throw new SourceError(
      "reset",
      `The source's log was reset (RESET MASTER, RESET BINARY LOGS AND GTIDS, a data directory made anew or an old backup): its file ${this.#names.sourceName} is not the one that kingbus has. kingbus keeps what it has and goes on serving it. To follow the source as it is now, give kingbus an empty data-dir`,
    );
  }

  /**
   * Makes sure that a file has ended where the next one begins. A server ends
   * each with a rotate or stop event; one that crashed did not, and then the
   * file was closed already when this dump began, at this position. If not, the
   * log may have been reset under the dump: another connection will show.
   */
  #checkEnded(next: string): void {
    const { closedFiles } = this.#context;
    const fileName = this.#names.sourceName;
    const { position } = this.#writer;
    if (
      closedFiles === undefined || fileName === "" ||
      this.#lastType === EventType.ROTATE || this.#lastType === EventType.STOP
    ) return;
    if (closedFiles.get(fileName) === position) return;
    this.#unendedAt = { fileName, position };
    throw new SourceError(
      "lost",
      `The source went on to ${next} although ${fileName} did not end at position ${position} when it was asked for; asking again where it ends`,
    );
  }

  #heartbeat(event: Uint8Array, type: number): void {
    this.#checkSum(event);
    const heartbeat = decodeHeartbeat(event, this.#appender.checksumAlgorithm);
    const writer = this.#writer;
    const position = type === EventType.HEARTBEAT
      ? BigInt(writer.position % POSITION_WRAP)
      : BigInt(writer.position);
    const splice = this.#splice;
    const fileName = splice?.sourceName ?? this.#names.sourceName;
    // By GTID the source leaves events out, and its positions are not ours.
    const isThere = splice !== undefined || heartbeat.position === position;
    if (heartbeat.fileName !== fileName || !isThere) {
      throw new SourceError(
        "stream",
        `The source says it has sent all up to ${heartbeat.fileName} position ${heartbeat.position}, received is ${fileName} position ${writer.position}`,
      );
    }
    this.#events.heartbeat?.();
    this.endReached();
  }

  #notAnEvent(payload: Uint8Array): void {
    if (payload[0] === STATUS_ERR) throw decodeErr(payload);
    if (payload[0] === STATUS_EOF && payload.length < 9) {
      this.#ended = true;
      return;
    }
    throw new SourceError(
      "stream",
      `The source sent a packet of ${payload.length} bytes that is no event`,
    );
  }

  /** Checks the checksum of an event that is made up, if its like have one. */
  #checkSum(event: Uint8Array): void {
    if (this.#appender.checksumAlgorithm === "none" || isIntact(event)) return;
    throw new SourceError(
      "stream",
      `The ${
        eventTypeName(eventTypeAt(event, 0))
      } event that the source sent at ${this.#writer.fileName} position ${this.#writer.position} has a wrong checksum`,
    );
  }
}

/** For a log whose files have the names that the source gave them. */
function namesAsTheyAre(name: string): FileNames {
  return new FileNames({
    last: name === "" ? undefined : { name, sourceName: name },
  });
}

/** What the appender finds wrong is the source's fault. */
function sourceFault(kind: AppendFaultKind, message: string): SourceError {
  switch (kind) {
    case "stream":
      return new SourceError(
        "stream",
        `The source sent what does not come next: ${message}`,
      );
    case "hole":
      return new SourceError(
        "hole",
        `${message}. The source has them without their events (SET GLOBAL gtid_purged = '+…', as after loading a dump of another server, or gtid_binlog_state in MariaDB): no binlog file holds them, so no replica can get them from kingbus. Provision replicas from a backup that has them, and give kingbus an empty data-dir`,
      );
    case "repeat":
      return new SourceError(
        "reset",
        `${message}. The source began its history anew (RESET MASTER, RESET BINARY LOGS AND GTIDS, or an old backup); give kingbus an empty data-dir to follow it as it is now`,
      );
  }
}

function isIntact(event: Uint8Array): boolean {
  return crc32At(event, 0, event.length) === CRC32_RESIDUE;
}

function checkedSize(event: Uint8Array): Uint8Array {
  if (eventSizeAt(event, 0) === event.length) return event;
  throw new SourceError(
    "stream",
    `The source sent an event of ${event.length} bytes that says it has another size`,
  );
}
