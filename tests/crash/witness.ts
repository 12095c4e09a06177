import {
  eventTypeAt,
  flagsAt,
  logPosAt,
} from "../../lib/binlog/event_header.ts";
import { EventFlag, EventType } from "../../lib/binlog/event_type.ts";
import { decodeRotate } from "../../lib/binlog/rotate.ts";
import { eventChecksumOk } from "../../lib/binlog/checksum.ts";
import { ClientConnection } from "../../lib/connection/client_connection.ts";
import { ConnectionError } from "../../lib/connection/connection_error.ts";
import { encodeBinlogDump } from "../../lib/protocol/command.ts";
import { decodeErr, isErr } from "../../lib/protocol/response.ts";
import { REPLICATION_ACCOUNT } from "../../scripts/test_servers/mysql56.ts";
import { CrashError } from "./crash_error.ts";

/** Where in a log something is. */
export interface FilePosition {
  readonly fileName: string;
  readonly position: number;
}

/** Whether `place` is `other` or later. */
function isAtOrAfter(place: FilePosition, other: FilePosition): boolean {
  return place.fileName > other.fileName ||
    place.fileName === other.fileName && place.position >= other.position;
}

/** Server id the witness has as a replica. */
const SERVER_ID = 99_001;

/** How often it wants a heartbeat, and how long it puts up with silence. */
const HEARTBEAT_MS = 500;
const SILENCE_MS = 2_500;

/** Pause between two connections, in ms. */
const AGAIN_MS = 30;

const MAGIC = Uint8Array.of(0xfe, 0x62, 0x69, 0x6e);

/**
 * A client that is there all along, as `mysqlbinlog --raw --stop-never` would
 * be: it writes down every event it gets, connects again by the position where
 * it stands, and never accepts that something comes twice, is left out, or is
 * not where it says it is.
 */
export class Witness implements AsyncDisposable {
  readonly #folder: string;
  readonly #port: number;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  readonly #waiting = new Set<() => void>();
  #fileName = "";
  #position = 4;
  #file: Deno.FsFile | undefined;
  #connection: ClientConnection | undefined;
  /** The first thing that was wrong. */
  fault: CrashError | undefined;
  /** Times it has connected. */
  connections = 0;
  /** Bytes of events it has got. */
  bytes = 0;
  /** Events it has got. */
  events = 0;

  /**
   * Begins at the oldest file.
   *
   * @param folder where it writes the files, empty
   * @param port where kingbus, or a proxy for it, listens on 127.0.0.1
   */
  constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.#done = this.#run();
  }

  /** Where it stands: everything before is written down. */
  get place(): FilePosition {
    return { fileName: this.#fileName, position: this.#position };
  }

  /** Waits until it stands at `place` or later. */
  async reached(place: FilePosition, deadlineMs: number): Promise<void> {
    const deadline = performance.now() + deadlineMs;
    while (!isAtOrAfter(this.place, place)) {
      if (this.fault !== undefined) throw this.fault;
      const leftMs = deadline - performance.now();
      if (leftMs < 0) {
        throw new CrashError(
          `After ${deadlineMs} ms the witness stands at ${
            describePlace(this.place)
          }, and not at ${describePlace(place)}`,
        );
      }
      await this.#moved(Math.min(leftMs + 1, 500));
    }
  }

  /** Path of what it has written of a file. */
  pathOf(fileName: string): string {
    return `${this.#folder}/${fileName}`;
  }

  /** Removes the files before that one. */
  async forget(fileName: string): Promise<void> {
    for await (const { name } of Deno.readDir(this.#folder)) {
      if (name < fileName) await Deno.remove(this.pathOf(name));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#connection?.close();
    await this.#done;
    this.#file?.close();
  }

  #moved(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      this.#waiting.add(wake);
    });
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted && this.fault === undefined) {
      try {
        await this.#follow();
      } catch (error) {
        if (error instanceof CrashError) this.fault = error;
        else if (!(error instanceof ConnectionError)) {
          this.fault = new CrashError(
            `The witness at ${describePlace(this.place)}: ${
              error instanceof Error ? error.message : String(error)
            }`,
            { cause: error },
          );
        }
      } finally {
        this.#connection?.close();
        this.#connection = undefined;
      }
      this.#wake();
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  /** One connection; throws when it is over. */
  async #follow(): Promise<void> {
    const connection = await ClientConnection.connect({
      hostname: "127.0.0.1",
      port: this.#port,
      ...REPLICATION_ACCOUNT,
      connectTimeoutMs: SILENCE_MS,
      responseTimeoutMs: SILENCE_MS,
      signal: this.#stop.signal,
    });
    this.#connection = connection;
    this.connections++;
    await connection.query(
      `SET @master_binlog_checksum = 'CRC32', @master_heartbeat_period = ${HEARTBEAT_MS}000000`,
    );
    await connection.sendCommand(encodeBinlogDump({
      flags: 0,
      serverId: SERVER_ID,
      fileName: this.#fileName,
      position: this.#position,
    }));
    // One timer for all reads: closing the connection ends the read under way.
    let heardMs = performance.now();
    const watch = setInterval(() => {
      if (performance.now() - heardMs > SILENCE_MS) connection.close();
    }, SILENCE_MS / 4);
    try {
      const begun = { isFresh: true };
      for (;;) {
        const packet = await connection.reader.read();
        heardMs = performance.now();
        if (packet === null) return;
        const { payload } = packet;
        if (isErr(payload)) throw this.#refused(payload);
        if (payload[0] !== 0) {
          throw this.#wrong(`a packet begins with byte ${payload[0]}`);
        }
        this.#take(payload.subarray(1), begun);
      }
    } finally {
      clearInterval(watch);
    }
  }

  /** An error from kingbus is one: it is never asked for what it can't have. */
  #refused(payload: Uint8Array): Error {
    const { code, message } = decodeErr(payload);
    return this.#wrong(`kingbus answers error ${code}: ${message}`);
  }

  #take(event: Uint8Array, begun: { isFresh: boolean }): void {
    if (event.length < 19) throw this.#wrong("an event without a header");
    const type = eventTypeAt(event, 0);
    if (type === EventType.HEARTBEAT || type === EventType.HEARTBEAT_V2) return;
    if (!eventChecksumOk(event)) {
      throw this.#wrong(`an event of type ${type} has a wrong checksum`);
    }
    const flags = flagsAt(event, 0);
    if (type === EventType.ROTATE && (flags & EventFlag.ARTIFICIAL) !== 0) {
      this.#beginFile(event, begun.isFresh);
      begun.isFresh = false;
      return;
    }
    const end = logPosAt(event, 0);
    // Sent again to those who begin inside a file.
    if (type === EventType.FORMAT_DESCRIPTION && end === 0) {
      if (this.#position > 4) return;
      throw this.#wrong("a file begins with a changed format description");
    }
    if (end !== this.#position + event.length) {
      throw this.#wrong(
        `an event of type ${type} and ${event.length} bytes ends at ${end}`,
      );
    }
    writeAll(this.#file!, event);
    this.#position = end;
    this.bytes += event.length;
    this.events++;
    this.#wake();
  }

  #beginFile(event: Uint8Array, isFresh: boolean): void {
    const { fileName, position } = decodeRotate(event, "crc32");
    if (isFresh && this.#fileName !== "") {
      if (
        fileName !== this.#fileName || Number(position) !== this.#position
      ) throw this.#wrong(`kingbus goes on at ${fileName}:${position}`);
      return;
    }
    if (fileName <= this.#fileName) {
      throw this.#wrong(`kingbus goes back to ${fileName}`);
    }
    if (Number(position) !== 4) {
      throw this.#wrong(`${fileName} begins at ${position}`);
    }
    this.#file?.close();
    // Exclusively: nothing is written twice.
    this.#file = Deno.openSync(this.pathOf(fileName), {
      write: true,
      createNew: true,
    });
    writeAll(this.#file, MAGIC);
    this.#fileName = fileName;
    this.#position = 4;
    this.#wake();
  }

  #wrong(what: string): CrashError {
    return new CrashError(
      `The witness at ${describePlace(this.place)}: ${what}`,
    );
  }
}

/** As people write it. */
function describePlace({ fileName, position }: FilePosition): string {
  return fileName === "" ? "the begin" : `${fileName}:${position}`;
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let rest = bytes; rest.length > 0;) {
    rest = rest.subarray(file.writeSync(rest));
  }
}
