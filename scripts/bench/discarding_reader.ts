/**
 * A program that pulls a binary log as fast as it comes and throws it away: one
 * JSON `ReaderInput` as its argument, one JSON `ReaderResult` on standard output.
 *
 * @module
 */

import process from "node:process";
import { ClientConnection } from "../../lib/connection/client_connection.ts";
import type { Compression } from "../../lib/protocol/compression.ts";
import { GtidSet } from "../../lib/gtid/gtid_set.ts";
import {
  DumpFlag,
  encodeBinlogDump,
  encodeBinlogDumpGtid,
  encodeQuery,
} from "../../lib/protocol/command.ts";
import { BenchError } from "./bench_error.ts";
import { type LogServer, REPLICATION } from "./bench_source.ts";
import { TlsReaderConnection } from "./tls_reader_connection.ts";
import { unbufferedTransport } from "./unbuffered_transport.ts";

/** What to read. */
export interface ReaderInput {
  readonly server: LogServer;
  /** By position from the first file's begin, or by an empty GTID set. */
  readonly mode: "position" | "gtid";
  readonly firstFile: string;
  /** Fewer bytes than this to one reader are not the whole log. */
  readonly bytesMin: number;
  /** How many read at the same time. */
  readonly readers: number;
  /** Where in the first file it begins, by position; at its begin if absent. */
  readonly position?: number;
  /** Each reader takes no more than so many in a second; all it can if absent. */
  readonly bytesPerSecond?: number;
  /** How the connections are compressed; not at all when absent. */
  readonly compression?: Compression | undefined;
  /** Whether they are encrypted. */
  readonly tls?: boolean;
}

/** What was read. */
export interface ReaderResult {
  /** Of all readers, packet headers included. */
  readonly bytes: number;
  /** From the first command sent to the last EOF packet received. */
  readonly seconds: number;
  /** Time on any core meanwhile. */
  readonly cpuSeconds: number;
}

/** Fits in the second-level cache beside what the kernel copies from. */
const BUFFER_BYTES = 512 * 1024;

/** A dump that is silent for so long has failed. */
const SILENCE_MS = 20_000;

/** The last packet of a dump that does not wait: EOF, in nine bytes. */
const EOF_PACKET_BYTES = 9;

/** A slow reader waits only when it is so far ahead. */
const PACE_MS = 5;

/** No replica of a rig has a server id as high as this. */
const SERVER_ID_BASE = 3_000_000_000;

/** Says that checksums can be taken, to whatever version. */
const SET_CHECKSUM =
  "SET @master_binlog_checksum = 'CRC32', @source_binlog_checksum = 'CRC32'";

/** A connection that is logged in. */
type ReaderConnection = Pick<
  ClientConnection,
  "sendCommand" | "close" | "reader"
>;

/** One connection, logged in, that is about to dump. */
class DiscardingReader {
  readonly #input: ReaderInput;
  readonly #conn: Deno.Conn;
  readonly #connection: ReaderConnection;
  #bytes = 0;

  private constructor(
    input: ReaderInput,
    conn: Deno.Conn,
    connection: ReaderConnection,
  ) {
    this.#input = input;
    this.#conn = conn;
    this.#connection = connection;
  }

  static async open(input: ReaderInput): Promise<DiscardingReader> {
    const conn = await Deno.connect({ ...input.server });
    conn.setNoDelay(true);
    if (input.tls === true) {
      const connection = await TlsReaderConnection.open(conn);
      await connection.command(encodeQuery(SET_CHECKSUM));
      return new DiscardingReader(input, connection.conn, connection);
    }
    const connection = await ClientConnection.open(
      unbufferedTransport(conn),
      { ...REPLICATION, compression: input.compression },
    );
    await connection.query(SET_CHECKSUM);
    return new DiscardingReader(input, conn, connection);
  }

  /** Reads the whole log; answers how many bytes that were. */
  async drain(index: number, buffer: Uint8Array): Promise<number> {
    const watch = this.#watchSilence();
    const start = performance.now();
    try {
      await this.#connection.sendCommand(this.#command(SERVER_ID_BASE + index));
      let tail = new Uint8Array(0);
      for (;;) {
        const chunk = await this.#read(buffer);
        if (chunk === null) throw this.#fault("was closed", tail);
        const count = chunk.length;
        this.#bytes += count;
        await this.#keepPace(performance.now() - start);
        if (count >= EOF_PACKET_BYTES) {
          if (endsInEof(chunk)) break;
          tail = chunk.slice(-EOF_PACKET_BYTES);
        } else {
          tail = Uint8Array.of(...tail, ...chunk).slice(-EOF_PACKET_BYTES);
          if (endsInEof(tail)) break;
        }
      }
      if (this.#bytes < this.#input.bytesMin) {
        throw this.#fault(`ended before ${this.#input.bytesMin}`, tail);
      }
      return this.#bytes;
    } finally {
      clearInterval(watch);
      this.#connection.close();
    }
  }

  /** What comes next, decompressed; null at the end. */
  async #read(buffer: Uint8Array): Promise<Uint8Array | null> {
    if (this.#input.compression !== undefined) {
      return await this.#connection.reader.readChunk();
    }
    const count = await this.#conn.read(buffer);
    return count === null ? null : buffer.subarray(0, count);
  }

  #command(serverId: number): Uint8Array {
    const flags = DumpFlag.NON_BLOCK;
    return this.#input.mode === "position"
      ? encodeBinlogDump({
        fileName: this.#input.firstFile,
        position: this.#input.position ?? 4,
        flags,
        serverId,
      })
      : encodeBinlogDumpGtid({
        fileName: "",
        position: 4n,
        flags,
        serverId,
        gtidSetBytes: new GtidSet().encode(),
      });
  }

  /** Waits while more has come than should have by now. */
  async #keepPace(passedMs: number): Promise<void> {
    const { bytesPerSecond } = this.#input;
    if (bytesPerSecond === undefined) return;
    const aheadMs = 1000 * this.#bytes / bytesPerSecond - passedMs;
    if (aheadMs < PACE_MS) return;
    await new Promise((resolve) => setTimeout(resolve, aheadMs));
  }

  /** Cuts the connection when nothing comes any more. */
  #watchSilence(): ReturnType<typeof setInterval> {
    let before = -1;
    return setInterval(() => {
      if (this.#bytes === before) this.#connection.close();
      before = this.#bytes;
    }, SILENCE_MS);
  }

  #fault(what: string, tail: Uint8Array): BenchError {
    const text = new TextDecoder().decode(tail);
    return new BenchError(
      `The dump ${what} after ${this.#bytes} bytes; the last ones are ${
        JSON.stringify(text)
      }`,
    );
  }
}

/** Whether the bytes end in the EOF packet, whatever its sequence id. */
function endsInEof(bytes: Uint8Array): boolean {
  const at = bytes.length - EOF_PACKET_BYTES;
  return at >= 0 && bytes[at] === 5 && bytes[at + 1] === 0 &&
    bytes[at + 2] === 0 && bytes[at + 4] === 0xfe && bytes[at + 5] === 0 &&
    bytes[at + 6] === 0;
}

async function read(input: ReaderInput): Promise<ReaderResult> {
  const readers: DiscardingReader[] = [];
  for (let index = 0; index < input.readers; index++) {
    readers.push(await DiscardingReader.open(input));
  }
  const cpu = process.cpuUsage();
  const start = performance.now();
  const counts = await Promise.all(
    readers.map((reader, index) =>
      reader.drain(index, new Uint8Array(BUFFER_BYTES))
    ),
  );
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    bytes: counts.reduce((sum, count) => sum + count, 0),
    seconds,
    cpuSeconds: (user + system) / 1e6,
  };
}

if (import.meta.main) {
  const result = await read(JSON.parse(Deno.args[0] ?? "{}"));
  console.log(JSON.stringify(result));
  Deno.exit(0);
}
