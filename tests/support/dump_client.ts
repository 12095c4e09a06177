import { ClientConnection } from "../../lib/connection/client_connection.ts";
import { GtidSet } from "../../lib/gtid/gtid_set.ts";
import {
  DumpFlag,
  encodeBinlogDump,
  encodeBinlogDumpGtid,
  encodeRegisterReplica,
} from "../../lib/protocol/command.ts";
import { decodeErr, isErr } from "../../lib/protocol/response.ts";
import {
  type ChecksumAlgorithm,
  eventChecksumOk,
} from "../../lib/binlog/checksum.ts";
import {
  eventTypeAt,
  flagsAt,
  logPosAt,
} from "../../lib/binlog/event_header.ts";
import { EventFlag, EventType } from "../../lib/binlog/event_type.ts";
import { decodeRotate } from "../../lib/binlog/rotate.ts";
import { REPLICATION_ACCOUNT } from "../../scripts/test_servers/mysql56.ts";
import type { ServerAddress } from "./test_kingbus.ts";

/** What a client asks for, and what it says before. */
export interface DumpClientOptions {
  /** 0, which asks for a non-blocking dump, if not given. */
  readonly serverId?: number;
  /** `NON_BLOCK` if not given. */
  readonly flags?: number;
  /** Empty if not given. */
  readonly fileName?: string;
  /** 4 if not given. */
  readonly position?: number;
  /** GTID set as text: asks by GTID; by position if not given. */
  readonly executed?: string;
  /**
   * What it says of checksums, or the variable (`@@global.…`) that says it;
   * `null`: nothing. `CRC32` if not given.
   */
  readonly checksum?: string | null;
  /** Pause after which it wants a heartbeat; none if not given. */
  readonly heartbeatMs?: number;
  /** UUID it says is its own; none if not given. */
  readonly uuid?: string;
  /** Names of variables: those of MySQL 8.0.26 and later, or those before. */
  readonly names?: "source" | "master";
  /** More user variables that it sets: SQL values by name without `@`. */
  readonly variables?: Readonly<Record<string, string | number>>;
  readonly user?: string;
  readonly password?: string;
}

/** How long a client waits for an event. */
const EVENT_DEADLINE_MS = 30_000;

/**
 * A client that asks a MySQL server or kingbus for a dump and takes it event
 * by event, as it comes; packets out of order are an error.
 */
export class DumpClient implements AsyncDisposable {
  readonly #connection: ClientConnection;

  private constructor(connection: ClientConnection) {
    this.#connection = connection;
  }

  /** Logs in, sets up and sends the dump command. */
  static async open(
    address: ServerAddress,
    options: DumpClientOptions = {},
  ): Promise<DumpClient> {
    const connection = await ClientConnection.connect({
      hostname: address.hostname ?? "127.0.0.1",
      port: address.port,
      user: options.user ?? REPLICATION_ACCOUNT.user,
      password: options.password ?? REPLICATION_ACCOUNT.password,
    });
    const client = new DumpClient(connection);
    try {
      await client.#prepare(options);
      await connection.sendCommand(dumpCommand(options));
    } catch (error) {
      connection.close();
      throw error;
    }
    return client;
  }

  /** The server's number for this connection. */
  get connectionId(): number {
    return this.#connection.connectionId;
  }

  /**
   * The next event; `null` when the dump is over: EOF packet or closed.
   *
   * @throws {ServerError} When the server ends the dump with an error.
   */
  async next(deadlineMs = EVENT_DEADLINE_MS): Promise<Uint8Array | null> {
    const packet = await this.#connection.reader.read({
      signal: AbortSignal.timeout(deadlineMs),
    });
    if (packet === null) return null;
    const { payload } = packet;
    if (isErr(payload)) throw decodeErr(payload);
    if (payload[0] === 0xfe && payload.length < 9) return null;
    return payload.slice(1);
  }

  /** Reads on to the event that ends at this position of its file. */
  async readTo(position: number): Promise<void> {
    for (;;) {
      const event = await this.next();
      if (event === null) {
        throw new TypeError(`The dump ended before position ${position}`);
      }
      if (logPosAt(event, 0) === position) return;
    }
  }

  /** The events of the log, not those made for the dump, up to a position. */
  async logTo(fileName: string, position: number): Promise<Uint8Array[]> {
    const events: Uint8Array[] = [];
    let file = "";
    for (;;) {
      const event = await this.next();
      if (event === null) {
        throw new TypeError(`The dump ended before ${fileName}:${position}`);
      }
      if (isArtificialRotate(event)) {
        file = decodeRotate(event, checksumOf(event)).fileName;
      } else if (!isHeartbeat(event)) {
        events.push(event);
        if (file === fileName && logPosAt(event, 0) === position) return events;
      }
    }
  }

  /** All events up to the end of the dump. */
  async rest(): Promise<Uint8Array[]> {
    const events: Uint8Array[] = [];
    for (;;) {
      const event = await this.next();
      if (event === null) return events;
      events.push(event);
    }
  }

  /** Leaves as a client that is killed does. */
  close(): void {
    this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  async #prepare(options: DumpClientOptions): Promise<void> {
    const names = options.names === "master" ? ["master"] : ["source"];
    if (options.names !== "master") names.unshift("master");
    const set = async (name: string, value: string): Promise<void> => {
      const all = names.map((side) => `@${side}_${name} = ${value}`);
      await this.#connection.query(`SET ${all.join(", ")}`);
    };
    const { checksum = "CRC32", heartbeatMs, uuid, serverId } = options;
    for (const [name, value] of Object.entries(options.variables ?? {})) {
      await this.#connection.query(`SET @${name} = ${value}`);
    }
    if (heartbeatMs !== undefined) {
      await set("heartbeat_period", `${BigInt(heartbeatMs) * 1_000_000n}`);
    }
    if (checksum !== null) {
      const isVariable = checksum.startsWith("@@");
      await set("binlog_checksum", isVariable ? checksum : `'${checksum}'`);
    }
    if (uuid !== undefined) {
      await this.#connection.query(
        options.names === "master"
          ? `SET @slave_uuid = '${uuid}'`
          : `SET @slave_uuid = '${uuid}', @replica_uuid = '${uuid}'`,
      );
    }
    if (serverId !== undefined && serverId !== 0) {
      await this.#connection.command(encodeRegisterReplica({
        serverId,
        hostName: "",
        user: "",
        port: 0,
        rank: 0,
        sourceId: 0,
      }));
    }
  }
}

function dumpCommand(options: DumpClientOptions): Uint8Array {
  const request = {
    flags: options.flags ?? DumpFlag.NON_BLOCK,
    serverId: options.serverId ?? 0,
    fileName: options.fileName ?? "",
  };
  const position = options.position ?? 4;
  return options.executed === undefined
    ? encodeBinlogDump({ ...request, position })
    : encodeBinlogDumpGtid({
      ...request,
      position: BigInt(position),
      gtidSetBytes: GtidSet.parse(options.executed).encode(),
    });
}

/** All events of a dump that ends by itself. */
export async function readDump(
  address: ServerAddress,
  options: DumpClientOptions = {},
): Promise<Uint8Array[]> {
  await using client = await DumpClient.open(address, options);
  return await client.rest();
}

/** The first four bytes of every binlog file. */
const MAGIC = [0xfe, 0x62, 0x69, 0x6e];

/**
 * The binlog files from one on, as a dump by position gives them, magic number
 * first: what `mysqlbinlog --raw --to-last-log` would write.
 */
export async function readDumpedFiles(
  address: ServerAddress,
  fileName = "",
): Promise<Map<string, Uint8Array>> {
  const parts = new Map<string, Uint8Array[]>();
  let current: Uint8Array[] = [];
  for (const event of await readDump(address, { fileName })) {
    if (isArtificialRotate(event)) {
      const { fileName } = decodeRotate(event, checksumOf(event));
      current = [Uint8Array.from(MAGIC)];
      parts.set(fileName, current);
    } else current.push(event);
  }
  return new Map([...parts].map(([name, all]) => [name, joinBytes(all)]));
}

/** Whether the event says which file the next ones are of. */
export function isArtificialRotate(event: Uint8Array): boolean {
  return eventTypeAt(event, 0) === EventType.ROTATE &&
    (flagsAt(event, 0) & EventFlag.ARTIFICIAL) !== 0;
}

/** Whether the event says that the sender is there. */
export function isHeartbeat(event: Uint8Array): boolean {
  const type = eventTypeAt(event, 0);
  return type === EventType.HEARTBEAT || type === EventType.HEARTBEAT_V2;
}

/** How an event ends that may or may not have a checksum. */
function checksumOf(event: Uint8Array): ChecksumAlgorithm {
  return eventChecksumOk(event) ? "crc32" : "none";
}

/** One run of bytes out of many. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
