/**
 * A program that holds many connected replicas, each of which has all of the
 * log: one JSON `IdleInput` as its argument, one JSON `IdleReady` on standard
 * output once all are there. It stays until it is killed.
 *
 * @module
 */

import { ClientConnection } from "../../lib/connection/client_connection.ts";
import type { PacketReader } from "../../lib/connection/packet_reader.ts";
import { GtidSet } from "../../lib/gtid/gtid_set.ts";
import {
  DumpFlag,
  encodeBinlogDumpGtid,
  encodeQuery,
  encodeRegisterReplica,
} from "../../lib/protocol/command.ts";
import { type LogServer, REPLICATION } from "./bench_source.ts";
import { TlsReaderConnection } from "./tls_reader_connection.ts";

/** Which replicas. */
export interface IdleInput {
  readonly server: LogServer;
  readonly replicas: number;
  /** What all of them have executed. */
  readonly executed: string;
  readonly heartbeatMs: number;
  /** Whether their connections are encrypted. */
  readonly tls: boolean;
}

/** What they have had so far. */
export interface IdleReady {
  readonly replicas: number;
  /** From the first connection to the last replica's first event. */
  readonly seconds: number;
}

/** How many log in at the same time. */
const LOGINS = 16;

/** No replica of a rig has a server id as high as this. */
const SERVER_ID_BASE = 3_100_000_000;

/** A server uuid for each. */
function uuidOf(index: number): string {
  return `4b494e47-0000-1111-8000-${index.toString(16).padStart(12, "0")}`;
}

/** What a replica does with its connection. */
interface IdleConnection {
  readonly reader: PacketReader;
  /** Sends a command that is answered by OK. */
  command(payload: Uint8Array): Promise<unknown>;
  sendCommand(payload: Uint8Array): Promise<void>;
}

async function logIn({ server, tls }: IdleInput): Promise<IdleConnection> {
  if (!tls) {
    return await ClientConnection.connect({ ...server, ...REPLICATION });
  }
  return await TlsReaderConnection.open(await Deno.connect({ ...server }));
}

/** Connects one and reads on, whatever comes; resolves at its first event. */
async function connect(input: IdleInput, index: number): Promise<void> {
  const connection = await logIn(input);
  const serverId = SERVER_ID_BASE + index;
  const uuid = uuidOf(index);
  await connection.command(encodeQuery(
    `SET @master_heartbeat_period = ${input.heartbeatMs}000000, @source_heartbeat_period = ${input.heartbeatMs}000000`,
  ));
  await connection.command(encodeQuery(
    "SET @master_binlog_checksum = 'CRC32', @source_binlog_checksum = 'CRC32'",
  ));
  await connection.command(encodeQuery(
    `SET @slave_uuid = '${uuid}', @replica_uuid = '${uuid}'`,
  ));
  await connection.command(encodeRegisterReplica({
    serverId,
    hostName: "",
    user: "",
    port: 0,
    rank: 0,
    sourceId: 0,
  }));
  await connection.sendCommand(encodeBinlogDumpGtid({
    fileName: "",
    position: 4n,
    flags: DumpFlag.HEARTBEAT_V2,
    serverId,
    gtidSetBytes: GtidSet.parse(input.executed).encode(),
  }));
  if (await connection.reader.readChunk() === null) {
    throw new TypeError(`Replica ${index} was turned away`);
  }
  void readOn(connection, index);
}

async function readOn(
  connection: IdleConnection,
  index: number,
): Promise<void> {
  while (await connection.reader.readChunk() !== null);
  console.error(`replica ${index} was disconnected`);
  Deno.exit(1);
}

async function hold(input: IdleInput): Promise<IdleReady> {
  const start = performance.now();
  let next = 0;
  const logIn = async (): Promise<void> => {
    while (next < input.replicas) await connect(input, next++);
  };
  await Promise.all(Array.from({ length: LOGINS }, logIn));
  return {
    replicas: input.replicas,
    seconds: (performance.now() - start) / 1000,
  };
}

if (import.meta.main) {
  const ready = await hold(JSON.parse(Deno.args[0] ?? "{}"));
  console.log(JSON.stringify(ready));
}
