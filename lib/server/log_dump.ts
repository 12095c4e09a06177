import type { ChecksumAlgorithm } from "../binlog/checksum.ts";
import { timestampAt } from "../binlog/event_header.ts";
import { EventType } from "../binlog/event_type.ts";
import {
  decodeFormatDescription,
  patchFormatDescription,
} from "../binlog/format_description.ts";
import { encodeHeartbeat } from "../binlog/heartbeat.ts";
import { encodeArtificialRotate } from "../binlog/rotate.ts";
import { DumpFlag } from "../protocol/command.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import {
  type BinlogStore,
  FIRST_POSITION,
  type LogReader,
  type LogSlice,
  type StoredFile,
  StoreError,
} from "../store/binlog_store.ts";
import { EventWalk } from "../store/event_walk.ts";
import { PACKET_HEADER_BYTES } from "../store/framing.ts";
import type { DumpFilter } from "./dump_filter.ts";
import type { DumpRequest, DumpSession } from "./dump_handler.ts";
import type { DumpOutput } from "./dump_output.ts";
import { type DumpStart, nameInError } from "./dump_start.ts";
import { fatalDumpError } from "./fatal_dump_error.ts";
import type { SemiSyncDump } from "./semi_sync_dump.ts";
import { hasNewWords, isMysqlAtLeast } from "./server_version.ts";
import { startEncryptionOf } from "./start_encryption.ts";
import { UnfinishedEventError } from "./unfinished_event_error.ts";

/** What the store says of a file that is not there any more. */
const PURGED: ReadonlySet<string> = new Set(["purged", "unknown-file"]);

/** What a dump is made of. */
export interface LogDumpParts {
  readonly store: BinlogStore;
  readonly output: DumpOutput;
  readonly session: DumpSession;
  readonly request: DumpRequest;
  /** For a replica that acknowledges. */
  readonly semiSync: SemiSyncDump | undefined;
  /** What is left out, or sent as something else; undefined for nothing. */
  readonly filter: DumpFilter | undefined;
}

/**
 * One dump. The grammar of the stream is
 *
 * ```text
 * dump = file { file }
 * file = artificial-rotate format-description { event | heartbeat }
 * ```
 */
export class LogDump {
  readonly #store: BinlogStore;
  readonly #session: DumpSession;
  readonly #output: DumpOutput;
  readonly #filter: DumpFilter | undefined;
  readonly #request: DumpRequest;
  readonly #blocking: boolean;
  /** The replica asked for heartbeats of the second version. */
  readonly #wantsHeartbeatV2: boolean;
  readonly #heartbeatMs: number | undefined;
  readonly #semiSync: SemiSyncDump | undefined;
  #file: StoredFile;
  /** The file the dump begins in. */
  #first: StoredFile | undefined;
  /** The file whose format description was looked at, and what was found. */
  #heartbeatFile: StoredFile | undefined;
  #hasHeartbeatV2 = false;
  /** Something was left out since the replica last heard of our position. */
  #owesHeartbeat = false;
  /** The dump has come to the end that the replica asked for. */
  #finished = false;
  /** When the first event of the newest slice was made, in Unix seconds. */
  #sliceTime = 0;

  constructor(parts: LogDumpParts) {
    const { store, output, session, request, semiSync, filter } = parts;
    this.#store = store;
    this.#session = session;
    this.#request = request;
    this.#output = output;
    this.#semiSync = semiSync;
    this.#filter = filter;
    this.#blocking = (request.flags & DumpFlag.NON_BLOCK) === 0 &&
      request.serverId !== 0;
    const { settings } = session;
    this.#wantsHeartbeatV2 = (request.flags & DumpFlag.HEARTBEAT_V2) !== 0 &&
      settings.mariadbCapability === 0;
    const periodMs = Number(settings.heartbeatPeriodNs) / 1e6;
    this.#heartbeatMs = periodMs > 0 ? periodMs : undefined;
    this.#file = store.files[0]!;
  }

  /**
   * Sends the log from there on, up to the end that is asked for, or until the
   * session ends.
   *
   * @throws {ProtocolError} when the replica is to be told why nothing more comes
   * @throws {UnfinishedEventError} when it can't be told, inside an event
   * @throws {ConnectionError} when it is gone
   */
  async run(start: DumpStart): Promise<void> {
    try {
      const reader = await this.#begin(start);
      while (!this.#stopped()) {
        const version = this.#store.head!.version;
        if (await this.#sendVisible(reader)) continue;
        if (reader.nextFile()) {
          await this.#beginFile(reader.file);
          continue;
        }
        await this.#payHeartbeat();
        if (!this.#blocking) break;
        await this.#drain();
        await this.#waitForMore(version);
      }
      await this.#drain();
    } catch (error) {
      // What was queued comes before the error packet.
      if (error instanceof ProtocolError) await this.#drain();
      if (error instanceof StoreError && error.kind === "corrupt") {
        throw await this.#damaged(error);
      }
      if (error instanceof StoreError && PURGED.has(error.kind)) {
        throw await this.#purged(error);
      }
      throw error;
    }
  }

  /**
   * What ends the dump when its file was purged by force. It says what MySQL
   * says when the file after the one it sends has gone; a replica that comes
   * again is told what it lacks.
   */
  async #purged(fault: StoreError): Promise<Error> {
    await this.#drain();
    const { name } = this.#file;
    const { position, atEventEnd } = this.#output;
    this.#session.log.warn("the file that a replica was reading was purged", {
      file: name,
      position,
    });
    if (!atEventEnd) {
      return new UnfinishedEventError(fault.message, { cause: fault });
    }
    const { fileName, position: start } = this.#request;
    return fatalDumpError(
      `could not find next log; the first event '${fileName}' at ${start}, the last event read from './${name}' at ${position}, the last byte read from './${name}' at ${position}.`,
    );
  }

  /** What ends the dump where the log is damaged: no other one is touched. */
  async #damaged(fault: StoreError): Promise<Error> {
    await this.#drain();
    const { name } = this.#file;
    const { position, atEventEnd } = this.#output;
    this.#session.log.error("the log is damaged", {
      error: fault.message,
      file: name,
      position,
    });
    if (!atEventEnd) {
      return new UnfinishedEventError(fault.message, { cause: fault });
    }
    return fatalDumpError(
      `kingbus's copy of the binary log is damaged: ${name} can't be read from position ${position} on. See the log of kingbus, and run kingbus verify.`,
    );
  }

  /** True when the dump is to end and an event has just ended. */
  #stopped(): boolean {
    if (this.#finished) return true;
    return (this.#session.signal.aborted || this.#store.closed) &&
      this.#output.atEventEnd;
  }

  async #begin(start: DumpStart): Promise<LogReader> {
    const { file, position } = start;
    this.#file = file;
    this.#first = file;
    this.#semiSync?.beginFile(file);
    this.#filter?.startFile(file);
    this.#output.position = position;
    await this.#sendRotate(file, position, this.#firstChecksum());
    this.#checkChecksum(file);
    const format = file.formatDescription;
    if (position !== FIRST_POSITION) {
      await this.#output.addEvent(
        patchFormatDescription(format, {
          clearPosition: this.#request.mode === "position",
        }),
      );
      const reader = await this.#open(file, position);
      const isPastFormat = position > FIRST_POSITION + format.length;
      const encryption = this.#isMariadb && isPastFormat
        ? await startEncryptionOf(this.#store, file)
        : undefined;
      if (encryption !== undefined) await this.#output.addEvent(encryption);
      return reader;
    }
    // Whoever names a file gets its begin as it is, whatever it has of it.
    const chosen = this.#request.mode === "gtid" &&
      this.#request.fileName === "";
    if (!chosen || !await this.#hasFirstGtid(file)) {
      return await this.#open(file, position);
    }
    // A replica that has the file's begin must not drop its temporary tables.
    await this.#output.addEvent(
      patchFormatDescription(format, {
        clearPosition: false,
        clearCreated: true,
      }),
    );
    this.#output.position += format.length;
    return await this.#open(file, this.#output.position);
  }

  async #open(file: StoredFile, position: number): Promise<LogReader> {
    try {
      return await this.#store.openReader({
        fileNumber: file.number,
        position,
      });
    } catch (error) {
      if (
        error instanceof StoreError && error.kind === "position-inside-event"
      ) {
        throw fatalDumpError(
          `bogus data in log event; ${this.#where()}`,
        );
      }
      throw error;
    }
  }

  /** Whether the replica has the first transaction of the file. */
  async #hasFirstGtid(file: StoredFile): Promise<boolean> {
    if (this.#request.mode !== "gtid" || this.#request.executed.isEmpty) {
      return false;
    }
    let position = FIRST_POSITION;
    for (;;) {
      const reader = await this.#store.openReader({
        fileNumber: file.number,
        position,
      });
      const slice = await reader.next();
      if (slice === undefined) return false;
      const walk = new EventWalk(slice.bytes, 0, position);
      while (walk.next()) {
        const gtid = walk.gtid();
        if (gtid !== null) return this.#request.executed.hasGtid(gtid);
        if (walk.type === EventType.ANONYMOUS_GTID) return false;
      }
      // Large previous GTIDs go on in the next block: look behind them.
      position = walk.position + walk.size;
      if (position > file.size) return false;
    }
  }

  async #beginFile(file: StoredFile): Promise<void> {
    await this.#payHeartbeat();
    // It still ends as the events of the file before it do.
    await this.#sendRotate(
      file,
      FIRST_POSITION,
      this.#file.checksumAlgorithm,
    );
    this.#file = file;
    this.#semiSync?.beginFile(file);
    this.#output.position = FIRST_POSITION;
    this.#filter?.startFile(file);
    this.#checkChecksum(file);
  }

  async #sendRotate(
    file: StoredFile,
    position: number,
    algorithm: ChecksumAlgorithm,
  ): Promise<void> {
    await this.#output.addEvent(encodeArtificialRotate({
      serverId: this.#session.serverId,
      fileName: file.name,
      position: BigInt(position),
      algorithm,
    }));
  }

  /**
   * How the first artificial rotate ends: as the replica wants it, since it knows
   * of no file yet. What it says to anything but a known name, MariaDB takes for
   * all, others for nothing.
   */
  #firstChecksum(): ChecksumAlgorithm {
    const { checksum = "none" } = this.#session.settings;
    if (checksum !== "unknown") return checksum;
    return this.#isMariadb ? "crc32" : "none";
  }

  /** A replica that never asked about checksums can't take any. */
  #checkChecksum(file: StoredFile): void {
    if (
      this.#session.settings.checksum !== undefined ||
      file.checksumAlgorithm === "none"
    ) return;
    const [replica, source] = hasNewWords(this.#writer)
      ? ["Replica", "source"]
      : ["Slave", "master"];
    throw fatalDumpError(
      `${replica} can not handle replication events with the checksum that ${source} is configured to log; ${this.#where()}`,
    );
  }

  /** The version of the server that has written the file. */
  get #writer(): string {
    return decodeFormatDescription(this.#file.formatDescription).serverVersion;
  }

  get #isMariadb(): boolean {
    return this.#store.head?.mariadb !== undefined;
  }

  /** The source's words for where a dump stood when it failed. */
  #where(): string {
    const { name, formatDescription } = this.#file;
    const last = FIRST_POSITION + formatDescription.length;
    const { fileName, position: asked } = this.#request;
    if (this.#isMariadb) {
      return `the first event '${
        nameInError(this.#request)
      }' at ${asked}, the last event read from '${name}' at ${FIRST_POSITION}, the last byte read from '${name}' at ${last}.`;
    }
    // Up to 5.6 MySQL has not read a format description that it sends by itself.
    const isUnread = this.#file === this.#first && asked > FIRST_POSITION &&
      !isMysqlAtLeast(this.#writer, 5, 7, 0);
    return `the first event '${fileName}' at ${asked}, the last event read from './${name}' at ${
      isUnread ? asked : last
    }, the last byte read from './${name}' at ${last}.`;
  }

  /**
   * Sends what is visible of the current file; false when there was nothing.
   * Whole blocks go as they are; only where the replica may have something,
   * or the block is not whole yet, a GTID dump looks at single events.
   */
  async #sendVisible(reader: LogReader): Promise<boolean> {
    let sent = false;
    while (!this.#stopped()) {
      const filter = this.#filter;
      const looks = filter !== undefined && !filter.isPassive &&
        await this.#needsLook(reader, filter);
      if (looks === "skipped") {
        sent = true;
        continue;
      }
      let slice = reader.next();
      if (slice instanceof Promise) {
        // Let what is ready go out while the disk is read.
        if (this.#output.hasPending) await this.#flush();
        slice = await slice;
      }
      if (slice === undefined) break;
      sent = true;
      this.#noteTime(slice.bytes);
      if (looks) await this.#filterSlice(slice);
      else await this.#addRun(slice.bytes, 0, slice.bytes.length);
    }
    return sent;
  }

  /**
   * Notes since when a slice waits to be sent, by its first event alone: this is
   * done for every slice of every dump.
   */
  #noteTime(bytes: Uint8Array): void {
    const begins = this.#output.atEventEnd &&
      this.#filter?.insideEvent !== true;
    // An event that goes on from the slice before is as old as that one.
    const timestamp = begins ? timestampAt(bytes, PACKET_HEADER_BYTES + 1) : 0;
    if (timestamp !== 0) this.#sliceTime = timestamp;
    const { status } = this.#session;
    // What waits already is older.
    if (!status.unsentSince) status.unsentSince = this.#sliceTime || undefined;
  }

  async #needsLook(
    reader: LogReader,
    filter: DumpFilter,
  ): Promise<boolean | "skipped"> {
    let summary = reader.peek();
    if (summary instanceof Promise) summary = await summary;
    if (summary === undefined) return true;
    const verdict = filter.judge(summary);
    if (verdict !== "skip") return verdict === "look";
    reader.skip();
    this.#output.position = summary.endPosition;
    this.#owesHeartbeat = true;
    return "skipped";
  }

  async #filterSlice(slice: LogSlice): Promise<void> {
    const filter = this.#filter!;
    const output = this.#output;
    await filter.take(slice.bytes, {
      get position() {
        return output.position;
      },
      send: (run, start, end) => this.#addRun(run, start, end),
      leaveOut: (bytes) => {
        output.position += bytes;
        this.#owesHeartbeat = filter.owesHeartbeats;
      },
      insert: (event) => output.addEvent(event),
      finish: () => this.#finished = true,
      anonymous: () => {
        throw fatalDumpError(
          `Cannot replicate anonymous transaction when AUTO_POSITION = 1, at file ./${slice.file.name}, position ${this.#output.position}.`,
        );
      },
    });
  }

  async #addRun(run: Uint8Array, start: number, end: number): Promise<void> {
    if (this.#owesHeartbeat) await this.#payHeartbeat();
    if (!this.#output.hasRoom(end - start)) await this.#flush();
    this.#semiSync?.chooseAsked();
    this.#output.addRun(
      start === 0 && end === run.length ? run : run.subarray(start, end),
    );
  }

  /** Tells the replica where it stands after something was left out. */
  async #payHeartbeat(): Promise<void> {
    if (!this.#owesHeartbeat) return;
    this.#owesHeartbeat = false;
    await this.#addHeartbeat();
  }

  async #addHeartbeat(): Promise<void> {
    await this.#output.addEvent(encodeHeartbeat({
      serverId: this.#session.serverId,
      fileName: this.#file.name,
      position: BigInt(this.#output.position),
      algorithm: this.#file.checksumAlgorithm,
      version: this.#isMariadb
        ? "mariadb"
        : this.#wantsHeartbeatV2 && this.#fileKnowsHeartbeatV2()
        ? 2
        : 1,
    }));
  }

  /**
   * A replica can't take an event of a type that the format description before
   * it does not have: a source older than 8.0.26 does not know this one.
   */
  #fileKnowsHeartbeatV2(): boolean {
    if (this.#heartbeatFile !== this.#file) {
      this.#heartbeatFile = this.#file;
      const { postHeaderBytes } = decodeFormatDescription(
        this.#file.formatDescription,
      );
      this.#hasHeartbeatV2 = postHeaderBytes.length >= EventType.HEARTBEAT_V2;
    }
    return this.#hasHeartbeatV2;
  }

  async #waitForMore(version: number): Promise<void> {
    const { signal } = this.#session;
    while (
      !await this.#store.waitForHead(version, {
        signal,
        ...(this.#heartbeatMs === undefined
          ? {}
          : { timeoutMs: this.#heartbeatMs }),
      })
    ) {
      if (signal.aborted) return;
      if (this.#store.closed) return;
      await this.#addHeartbeat();
      await this.#drain();
    }
  }

  /** Sends what is there, but not the slice that has no room in it. */
  async #flush(): Promise<void> {
    await this.#output.flush();
    this.#session.status.unsentSince = this.#sliceTime || undefined;
    this.#report();
  }

  /** Sends all that was read so far. */
  async #drain(): Promise<void> {
    await this.#output.drain();
    this.#session.status.unsentSince = 0;
    this.#report();
  }

  #report(): void {
    const { status } = this.#session;
    status.file = this.#file.name;
    status.position = this.#output.position;
    status.bytesSent = BigInt(this.#output.bytesSent);
    this.#session.nextSequenceId = this.#output.sequenceId;
  }
}
