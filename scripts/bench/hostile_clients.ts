/**
 * A program that is a nuisance to a server for some seconds: one JSON
 * `HostileInput` as its argument, one JSON `HostileResult` on standard output.
 *
 * @module
 */

import { ClientConnection } from "../../lib/connection/client_connection.ts";
import { GtidSet } from "../../lib/gtid/gtid_set.ts";
import {
  Command,
  DumpFlag,
  encodeBinlogDump,
  encodeBinlogDumpGtid,
  encodeQuery,
} from "../../lib/protocol/command.ts";
import { encodeHandshakeResponse } from "../../lib/protocol/handshake.ts";
import { encodePackets } from "../../lib/protocol/packet_encoder.ts";
import { SERVER_CAPABILITIES } from "../../lib/protocol/server_auth.ts";
import { ServerError } from "../../lib/protocol/server_error.ts";
import type {
  HostileInput,
  HostileKind,
  HostileResult,
} from "./hostile_attack.ts";
import { unbufferedTransport } from "./unbuffered_transport.ts";

/** Between two bytes of a login that takes its time. */
const SLOW_MS = 200;
/** Statements that are sent at once, without reading an answer between. */
const STATEMENTS_AT_ONCE = 200;
/** Servers in a GTID set that is as large as a command may be. */
const LARGE_SET_SERVERS = 26_000;
/** How often it is looked whether it is over. */
const LOOK_MS = 50;
const SERVER_ID = 3_000_002_000;

/** One of the clients at work. */
interface Attacker {
  readonly input: HostileInput;
  /** When it is over, of `performance.now`; may come nearer. */
  readonly untilMs: number;
  /** Resolves when it is over. */
  readonly over: Promise<void>;
  /** Counts what it did. */
  done(): void;
  /** Made once for all of them. */
  largeDump(): Uint8Array;
}

const ATTACKS: Readonly<
  Record<HostileKind, (attacker: Attacker) => Promise<void>>
> = {
  "connections": (attacker) =>
    again(attacker, async () => {
      (await dial(attacker)).close();
      attacker.done();
    }),
  "silent": (attacker) =>
    again(attacker, async () => {
      using conn = await dial(attacker);
      attacker.done();
      await drain(conn, attacker);
    }),
  "slow-login": (attacker) =>
    again(attacker, async () => {
      using conn = await dial(attacker);
      attacker.done();
      for (const byte of loginWith(new Uint8Array(20))) {
        await conn.write(Uint8Array.of(byte));
        await pause(SLOW_MS);
        if (performance.now() > attacker.untilMs) return;
      }
    }),
  "wrong-password": (attacker) => {
    const answer = new Uint8Array(512);
    return again(attacker, async () => {
      using conn = await dial(attacker);
      await within(conn.read(answer), attacker);
      await conn.write(loginWith(new Uint8Array(20).fill(3)));
      const count = await within(conn.read(answer), attacker);
      // closed without an answer is no attempt
      if (count !== null) attacker.done();
    });
  },
  "tls-wrong-password": (attacker) =>
    again(attacker, async () => {
      const { port, user } = attacker.input;
      const hostname = "127.0.0.1";
      const credentials = { authorities: [] };
      try {
        const connection = await ClientConnection.connect({
          hostname,
          port,
          user,
          password: "wrong",
          tls: { mode: "required", hostname, credentials },
        });
        connection.close();
      } catch (error) {
        if (!(error instanceof ServerError)) throw error;
        attacker.done();
      }
    }),
  "never-read": (attacker) =>
    again(attacker, async () => {
      using conn = await logIn(attacker);
      const statement = encodePackets(encodeQuery("SHOW VARIABLES"), 0).bytes;
      while (performance.now() < attacker.untilMs) {
        await within(conn.write(statement), attacker);
        attacker.done();
      }
    }),
  "unfinished": (attacker) =>
    again(attacker, async () => {
      using conn = await logIn(attacker);
      const command = new Uint8Array(1024 * 1024).fill(
        Command.BINLOG_DUMP_GTID,
      );
      const { bytes } = encodePackets(command, 0);
      const most = bytes.subarray(0, bytes.length - 1);
      if (!await writeAll(conn, most, attacker)) return;
      attacker.done();
      await drain(conn, attacker);
    }),
  "statements": (attacker) =>
    again(attacker, async () => {
      using conn = await logIn(attacker);
      const one =
        encodePackets(encodeQuery("SHOW VARIABLES LIKE 'x'"), 0).bytes;
      const many = new Uint8Array(one.length * STATEMENTS_AT_ONCE);
      for (let at = 0; at < many.length; at += one.length) many.set(one, at);
      const answers = drain(conn, attacker);
      while (performance.now() < attacker.untilMs) {
        if (!await writeAll(conn, many, attacker)) break;
        for (let n = 0; n < STATEMENTS_AT_ONCE; n++) attacker.done();
      }
      conn.close();
      await answers;
    }),
  "dumps": (attacker) =>
    ask(
      attacker,
      encodeBinlogDump({
        position: 4,
        flags: DumpFlag.NON_BLOCK,
        serverId: SERVER_ID,
        fileName: attacker.input.fileName,
      }),
    ),
  "malformed-dumps": (attacker) =>
    ask(
      attacker,
      encodeBinlogDumpGtid({
        flags: 0,
        serverId: SERVER_ID,
        fileName: "",
        position: 4n,
        gtidSetBytes: new Uint8Array(1000).fill(0x7f),
      }),
    ),
  "large-dumps": (attacker) => ask(attacker, attacker.largeDump()),
};

/** A dump command that is as large as it may be, and long to read. */
function largeDump(): Uint8Array {
  const set = new GtidSet();
  for (let n = 0; n < LARGE_SET_SERVERS; n++) {
    const begin = n.toString(16).padStart(8, "0");
    set.add(`${begin}-0000-0000-0000-000000000001`, "", 1n);
  }
  return encodeBinlogDumpGtid({
    flags: DumpFlag.NON_BLOCK,
    serverId: SERVER_ID,
    fileName: "",
    position: 4n,
    gtidSetBytes: set.encode(),
  });
}

/** Does it again and again; what fails is tried again, as a nuisance would. */
async function again(
  attacker: Attacker,
  work: () => Promise<void>,
): Promise<void> {
  while (performance.now() < attacker.untilMs) {
    try {
      await work();
    } catch {
      // refused, cut off or reset: that is what it asks for
      await pause(1);
    }
  }
}

/** Logs in, asks for a dump, takes the first of it and leaves. */
function ask(attacker: Attacker, command: Uint8Array): Promise<void> {
  const { bytes } = encodePackets(command, 0);
  const buffer = new Uint8Array(64 * 1024);
  return again(attacker, async () => {
    using conn = await logIn(attacker);
    if (!await writeAll(conn, bytes, attacker)) return;
    await within(conn.read(buffer), attacker);
    attacker.done();
  });
}

function dial({ input }: Attacker): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port: input.port });
}

/** A connection that is logged in, with nothing left to be read. */
async function logIn(attacker: Attacker): Promise<Deno.TcpConn> {
  const { user, password } = attacker.input;
  const conn = await dial(attacker);
  // What comes after the login is read from the connection itself.
  const transport = unbufferedTransport(conn);
  try {
    const connection = await ClientConnection.open(transport, {
      user,
      password,
    });
    await connection.query("SET @master_binlog_checksum = 'CRC32'");
    return conn;
  } catch (error) {
    transport.close();
    throw error;
  }
}

/** A handshake response with this proof of a password. */
function loginWith(authResponse: Uint8Array): Uint8Array {
  return encodePackets(
    encodeHandshakeResponse({
      capabilities: SERVER_CAPABILITIES,
      maxPacketBytes: 1 << 24,
      charset: 45,
      user: "repl",
      authResponse,
      authPlugin: "mysql_native_password",
      attributes: new Map([["program_name", "hostile"]]),
    }),
    1,
  ).bytes;
}

/** Writes all of it; false if the time is up before. */
async function writeAll(
  conn: Deno.TcpConn,
  bytes: Uint8Array,
  attacker: Attacker,
): Promise<boolean> {
  for (let at = 0; at < bytes.length;) {
    const count = await within(conn.write(bytes.subarray(at)), attacker);
    if (count === null) return false;
    at += count;
  }
  return true;
}

/** Reads whatever comes until the other side closes, or time is up. */
async function drain(conn: Deno.TcpConn, attacker: Attacker): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  try {
    while (await within(conn.read(buffer), attacker) !== null);
  } catch {
    // closed, by whichever side
  }
}

/** Waits, but not for longer than there is time. */
function within<Value>(
  promise: Promise<Value>,
  { over }: Attacker,
): Promise<Value | null> {
  // when it fails after the time is up, nobody cares
  promise.catch(() => {});
  return Promise.race([promise, over.then(() => null)]);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function attack(input: HostileInput): Promise<HostileResult> {
  let attempts = 0;
  const large = input.kind === "large-dumps" ? largeDump() : new Uint8Array(0);
  let untilMs = performance.now() + input.seconds * 1000;
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const end = (): void => {
    untilMs = 0;
    resolve();
  };
  const looking = setInterval(() => {
    if (performance.now() > untilMs || isThere(input.stopFile)) end();
  }, LOOK_MS);
  const attacker: Attacker = {
    input,
    get untilMs(): number {
      return untilMs;
    },
    over,
    largeDump: () => large,
    done: () => {
      attempts += 1;
      if (attempts >= (input.attemptsMax ?? Infinity)) end();
    },
  };
  await Promise.all(
    Array.from({ length: input.clients }, () => ATTACKS[input.kind](attacker)),
  );
  clearInterval(looking);
  return { attempts };
}

function isThere(path: string | undefined): boolean {
  if (path === undefined) return false;
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

if (import.meta.main) {
  const result = await attack(JSON.parse(Deno.args[0] ?? "{}"));
  console.log(JSON.stringify(result));
  Deno.exit(0);
}
