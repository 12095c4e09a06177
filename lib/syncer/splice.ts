import { CRC32_RESIDUE, crc32At } from "../binlog/crc32_at.ts";
import {
  eventTypeAt,
  logPosAt,
  serverIdAt,
  timestampAt,
} from "../binlog/event_header.ts";
import { EventType, eventTypeName } from "../binlog/event_type.ts";
import { patchFormatDescription } from "../binlog/format_description.ts";
import {
  decodeMariadbGtidList,
  encodeMariadbGtidList,
  mariadbGtidListBytes,
} from "../binlog/mariadb_gtid_list.ts";
import {
  decodePreviousGtids,
  encodePreviousGtids,
} from "../binlog/previous_gtids.ts";
import { formatMariadbGtidPosition } from "../gtid/mariadb_gtid_position.ts";
import { MariadbGtidState } from "../gtid/mariadb_gtid_state.ts";
import {
  BLOCK_BYTES_MAX,
  FIRST_POSITION,
  type LogWriter,
} from "../store/binlog_store.ts";
import type { EventAppender } from "../store/event_appender.ts";
import { FRAME_BYTES } from "../store/framing.ts";
import type { FileNames } from "./file_names.ts";
import { isSameFile } from "./same_file.ts";
import { SourceError } from "./source_error.ts";

/** Where a splice puts what it takes. */
export interface SpliceParts {
  readonly writer: LogWriter;
  readonly appender: EventAppender;
  readonly names: FileNames;
  /**
   * The format description of the spliced file that the log ends in, if the
   * source may have more for it.
   */
  readonly open: Uint8Array | undefined;
  /** Whether the log has nothing from this server's present life yet. */
  readonly fresh: boolean;
  /** Told of each file that begins in the log. */
  readonly fileStarted: (name: string) => void;
}

/** Where the dump stands in the source's file. */
type Stage = "format" | "previous" | "held" | "open";

/**
 * Goes on with a log by what another server sends by GTID: it decides, file by
 * file of that server, how its events come into the log.
 *
 * ```text
 * dump = { begin { event } }
 * begin = artificial rotate, format description, ( Previous_gtids | Gtid_list )
 * ```
 *
 * A file whose Previous_gtids are what the log has executed by then has nothing
 * that the log has: it is taken as it is, from position 4 on, and so are all that
 * follow; the splice is over. Of any other one the source leaves out what the log
 * has. What is left goes into a file of the log's own, a spliced one: the
 * source's format description, Previous_gtids made here, then the events, moved
 * to their new positions.
 *
 * Of a MariaDB server's files Gtid_list says what Previous_gtids do of MySQL's.
 * Their Binlog_checkpoint events are left out of spliced files: they name files
 * of the server, for its own recovery.
 *
 * At first such a file begins only when a transaction comes: a server that has
 * nothing new leaves no trace in the log.
 */
export class Splice {
  readonly #parts: SpliceParts;
  #stage: Stage = "format";
  #open: Uint8Array | undefined;
  #isFresh: boolean;
  #isOver = false;
  #sourceName = "";
  #format: Uint8Array = new Uint8Array();
  /** The event between that and what the file follows, if there is one. */
  #encryption: Uint8Array | undefined;
  #previous: Uint8Array[] | undefined;

  /** @param parts where it puts what it takes */
  constructor(parts: SpliceParts) {
    this.#parts = parts;
    this.#open = parts.open;
    this.#isFresh = parts.fresh;
  }

  /** True once the source's files are taken as they are. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The source's file that the dump is in. */
  get sourceName(): string {
    return this.#sourceName;
  }

  /** The source went on to one of its files. */
  startFile(sourceName: string): void {
    if (this.#parts.appender.inTransaction) {
      throw new SourceError(
        "stream",
        `The source went on to ${sourceName} inside a transaction of ${this.#sourceName}`,
      );
    }
    this.#sourceName = sourceName;
    this.#stage = "format";
  }

  /** Takes that file's format description; never one for the caller to append. */
  takeFormat(event: Uint8Array): void {
    this.#parts.appender.resumeFile(event);
    this.#format = event;
    this.#encryption = undefined;
    this.#stage = "previous";
  }

  /** Looks at the event at `bytes[at, end)`; true when it is to be appended. */
  takes(bytes: Uint8Array, at: number, end: number): boolean {
    const type = eventTypeAt(bytes, at);
    if (type === EventType.MARIADB_BINLOG_CHECKPOINT) return false;
    if (this.#stage === "open") return true;
    if (this.#stage === "format") {
      throw new SourceError(
        "stream",
        `The source sent events of ${this.#sourceName} without its format description`,
      );
    }
    if (this.#stage === "previous") {
      if (isBeginning(type)) {
        this.#takePrevious(bytes.slice(at, end));
        return false;
      }
      if (type === EventType.MARIADB_START_ENCRYPTION) {
        // Of an encrypted file, which is sent decrypted.
        this.#encryption = bytes.slice(at, end);
        return false;
      }
      throw new SourceError(
        "stream",
        `The source's file ${this.#sourceName} has neither Previous_gtids nor Gtid_list`,
      );
    }
    // Nothing of this file came; that it ended is of no interest either.
    if (type === EventType.ROTATE || type === EventType.STOP) return false;
    this.#openFile();
    return true;
  }

  /** Begins an event in parts; true when it is to be appended. */
  takesLarge(bytes: Uint8Array, at: number, end: number): boolean {
    const type = eventTypeAt(bytes, at);
    if (this.#stage !== "previous" || !isBeginning(type)) {
      return this.takes(bytes, at, end);
    }
    this.#previous = [bytes.slice(at, end)];
    return false;
  }

  /** Takes more of an event that is not to be appended. */
  takeLargeBody(bytes: Uint8Array, at: number, end: number): void {
    this.#previous?.push(bytes.slice(at, end));
  }

  /** Ends an event that is not to be appended. */
  takeLargeEnd(): void {
    const parts = this.#previous;
    this.#previous = undefined;
    if (parts !== undefined) this.#takePrevious(joined(parts));
  }

  /** The spliced file has got its last event. */
  fileEnded(): void {
    this.#open = undefined;
  }

  #takePrevious(event: Uint8Array): void {
    const { appender } = this.#parts;
    if (appender.checksumAlgorithm !== "none" && !isIntact(event)) {
      throw new SourceError(
        "stream",
        `The ${
          eventTypeName(eventTypeAt(event, 0))
        } event of the source's file ${this.#sourceName} arrived with a wrong checksum`,
      );
    }
    // The source clears the position where it leaves out the first transaction.
    const isWhole = logPosAt(this.#format, 0) !== 0;
    if (this.#followsLog(event) && isWhole) {
      this.#beginWhole(event);
      return;
    }
    const open = this.#open;
    if (open !== undefined && isSameFile(this.#format, open)) {
      appender.resumeFile(this.#format, true);
      this.#stage = "open";
      return;
    }
    if (this.#isFresh) this.#stage = "held";
    else this.#openFile();
  }

  /** Whether a file begins where the log ends; it must not begin later. */
  #followsLog(event: Uint8Array): boolean {
    const { writer, appender } = this.#parts;
    const algorithm = appender.checksumAlgorithm;
    if (eventTypeAt(event, 0) === EventType.MARIADB_GTID_LIST) {
      const { state } = decodeMariadbGtidList(event, algorithm);
      const ours = writer.mariadb ?? new MariadbGtidState();
      if (state.isBefore(ours.position())) return state.equals(ours);
      throw this.#hole(formatMariadbGtidPosition(state.position()));
    }
    const previous = decodePreviousGtids(event, algorithm);
    const missing = previous.subtract(writer.executed);
    if (!missing.isEmpty) throw this.#hole(`${missing}`);
    return previous.equals(writer.executed);
  }

  #hole(missing: string): SourceError {
    return new SourceError(
      "hole",
      `The source's file ${this.#sourceName} follows transactions that it did not send: ${missing}`,
    );
  }

  #beginWhole(previous: Uint8Array): void {
    this.#begin(false);
    appendWhole(this.#parts.appender, this.#format);
    if (this.#encryption !== undefined) {
      appendWhole(this.#parts.appender, this.#encryption);
    }
    appendWhole(this.#parts.appender, previous);
    this.#isOver = true;
  }

  #openFile(): void {
    const { writer, appender } = this.#parts;
    const executed = writer.executed.clone();
    const mariadb = writer.mariadb?.clone();
    this.#begin(true);
    const endPosition = FIRST_POSITION + this.#format.length;
    const format = patchFormatDescription(this.#format, {
      resum: true,
      clearPosition: false,
      endPosition,
    });
    appendWhole(appender, format);
    const place = {
      timestamp: timestampAt(format, 0),
      serverId: serverIdAt(format, 0),
      algorithm: appender.checksumAlgorithm,
    };
    appendWhole(
      appender,
      mariadb === undefined
        ? encodePreviousGtids(executed, { ...place, position: endPosition })
        : encodeMariadbGtidList(mariadb, {
          ...place,
          endPosition: endPosition +
            mariadbGtidListBytes(mariadb, place.algorithm),
          artificial: false,
        }),
    );
    this.#stage = "open";
  }

  #begin(spliced: boolean): void {
    const { appender, names, fileStarted } = this.#parts;
    const sourceName = this.#sourceName;
    const name = names.begin(sourceName);
    appender.startFile(name, { sourceName, spliced });
    this.#isFresh = false;
    this.#open = undefined;
    fileStarted(name);
  }
}

/** Whether events of that type say what comes before a file. */
function isBeginning(type: number): boolean {
  return type === EventType.PREVIOUS_GTIDS ||
    type === EventType.MARIADB_GTID_LIST;
}

/** Appends an event that stands for itself, whatever its size. */
export function appendWhole(appender: EventAppender, event: Uint8Array): void {
  if (event.length + FRAME_BYTES > BLOCK_BYTES_MAX) {
    appender.beginLarge(event, 0, event.length);
    appender.endLarge();
    return;
  }
  const packet = new Uint8Array(FRAME_BYTES + event.length);
  const payload = event.length + 1;
  packet[0] = payload;
  packet[1] = payload >>> 8;
  packet[2] = payload >>> 16;
  packet.set(event, FRAME_BYTES);
  appender.event(packet, 0, packet.length);
}

function isIntact(event: Uint8Array): boolean {
  return crc32At(event, 0, event.length) === CRC32_RESIDUE;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, one) => sum + one.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
