/**
 * A program that logs in as a MySQL 9.7 replica does, again and again: one JSON
 * `LoginInput` as its argument, one JSON `LoginResult` on standard output.
 *
 * @module
 */

import { PacketReader } from "../../lib/connection/packet_reader.ts";
import { PacketWriter } from "../../lib/connection/packet_writer.ts";
import { tcpTransport } from "../../lib/connection/transport.ts";
import { GtidSet } from "../../lib/gtid/gtid_set.ts";
import {
  DumpFlag,
  encodeBinlogDumpGtid,
  encodeQuery,
  encodeRegisterReplica,
} from "../../lib/protocol/command.ts";
import { decodeHandshakeV10 } from "../../lib/protocol/handshake.ts";
import type { LogServer } from "./bench_source.ts";
import { logIn, readPayload } from "./log_in.ts";
import { replicaStatements } from "../test_servers/replica_statements.ts";

/** How to log in, and how often. */
export interface LoginInput {
  readonly server: LogServer;
  /** The plugin that the client answers the greeting with. */
  readonly plugin: "caching_sha2_password" | "mysql_native_password";
  readonly executed: string;
  /** Left out at the begin. */
  readonly warmUp: number;
  readonly logins: number;
}

/** How long it took, in ms, from dialling on. */
export interface LoginResult {
  /** Up to the OK packet of the login. */
  readonly loginMs: readonly number[];
  /** Up to the dump's first event. */
  readonly firstEventMs: readonly number[];
}

const UUID = "4b494e47-0000-1111-8000-00000000b061";
const SERVER_ID = 3_200_000_001;

/** One connection, from dialling to the first event. */
class LoginRun {
  readonly #reader: PacketReader;
  readonly #writer: PacketWriter;

  constructor(reader: PacketReader, writer: PacketWriter) {
    this.#reader = reader;
    this.#writer = writer;
  }

  async logIn(plugin: string): Promise<void> {
    const greeting = decodeHandshakeV10(await readPayload(this.#reader));
    await logIn(this.#reader, this.#writer, {
      greeting: { ...greeting, authPlugin: plugin },
      sequenceId: 1,
      secure: false,
    });
  }

  /** Sends a command and takes its whole answer. */
  async command(payload: Uint8Array): Promise<void> {
    await this.send(payload);
    const first = await readPayload(this.#reader);
    if (first[0] === 0) return;
    // Columns and rows, each with an EOF packet at their end.
    for (let ends = 0; ends < 2;) {
      const packet = await readPayload(this.#reader);
      if (packet[0] === 0xfe && packet.length < 9) ends++;
    }
  }

  async send(payload: Uint8Array): Promise<void> {
    this.#reader.expectSequence(1);
    await this.#writer.write(payload, 0);
  }

  async event(): Promise<void> {
    await readPayload(this.#reader);
  }
}

async function once(
  input: LoginInput,
): Promise<{ loginMs: number; firstEventMs: number }> {
  const start = performance.now();
  const transport = tcpTransport(await Deno.connect({ ...input.server }));
  try {
    const run = new LoginRun(
      new PacketReader(transport.readable, { maxPayloadBytes: 1024 * 1024 }),
      new PacketWriter(transport.writable),
    );
    await run.logIn(input.plugin);
    const loginMs = performance.now() - start;
    for (const statement of replicaStatements(UUID)) {
      await run.command(encodeQuery(statement));
    }
    await run.command(encodeRegisterReplica({
      serverId: SERVER_ID,
      hostName: "",
      user: "",
      port: 0,
      rank: 0,
      sourceId: 0,
    }));
    await run.send(encodeBinlogDumpGtid({
      fileName: "",
      position: 4n,
      flags: DumpFlag.HEARTBEAT_V2,
      serverId: SERVER_ID,
      gtidSetBytes: GtidSet.parse(input.executed).encode(),
    }));
    await run.event();
    return { loginMs, firstEventMs: performance.now() - start };
  } finally {
    transport.close();
  }
}

if (import.meta.main) {
  const input: LoginInput = JSON.parse(Deno.args[0] ?? "{}");
  const loginMs: number[] = [];
  const firstEventMs: number[] = [];
  for (let count = -input.warmUp; count < input.logins; count++) {
    const took = await once(input);
    if (count < 0) continue;
    loginMs.push(took.loginMs);
    firstEventMs.push(took.firstEventMs);
  }
  const result: LoginResult = { loginMs, firstEventMs };
  console.log(JSON.stringify(result));
  Deno.exit(0);
}
