// Every decoder and login machine on random and mutated packets: what a peer
// sends may be refused, and never stops the process with anything else.

import { assert, assertInstanceOf } from "@std/assert";
import { decodeAuthSwitch } from "../../../lib/protocol/auth_packet.ts";
import { ClientAuth } from "../../../lib/protocol/client_auth.ts";
import {
  Command,
  decodeBinlogDump,
  decodeBinlogDumpGtid,
  decodeQuery,
  decodeRegisterReplica,
} from "../../../lib/protocol/command.ts";
import {
  decodeHandshakeResponse,
  decodeHandshakeV10,
  isSslRequest,
} from "../../../lib/protocol/handshake.ts";
import { PacketDecoder } from "../../../lib/protocol/packet_decoder.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { decodeErr, decodeOk } from "../../../lib/protocol/response.ts";
import { TextResultSetDecoder } from "../../../lib/protocol/result_set.ts";
import { decodeSemiSyncAck } from "../../../lib/protocol/semi_sync.ts";
import {
  accountFromPassword,
  ServerAuth,
} from "../../../lib/protocol/server_auth.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { hex } from "../../support/byte_table.ts";
import {
  GREETINGS,
  MARIADB_BINLOG,
  MYSQL56_REPLICA,
  MYSQL97_REPLICA,
  SCRAMBLE,
} from "../../support/captured_login.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

const SEED = 20261123;
const ROUNDS = 3_000;
const ALL = 0xffffffff;
const ACCOUNT = accountFromPassword("both", "pw");
const SAMPLES = [
  MYSQL97_REPLICA,
  MYSQL56_REPLICA,
  MARIADB_BINLOG,
  GREETINGS.mysql97,
  GREETINGS.mariadb,
  new Uint8Array(40),
];
/** Bytes that mean something in many places. */
const TELLING_BYTES = [0, 1, 2, 3, 4, 0xfb, 0xfc, 0xfd, 0xfe, 0xff];

const TARGETS: Record<string, (bytes: Uint8Array) => unknown> = {
  decodeHandshakeV10,
  isSslRequest,
  decodeAuthSwitch,
  decodeOk,
  decodeErr,
  decodeSemiSyncAck,
  decodeHandshakeResponse: (bytes) => decodeHandshakeResponse(bytes, ALL),
  decodeBinlogDump: (bytes) =>
    decodeBinlogDump(beginning(bytes, Command.BINLOG_DUMP)),
  decodeBinlogDumpGtid: (bytes) =>
    decodeBinlogDumpGtid(beginning(bytes, Command.BINLOG_DUMP_GTID)),
  decodeRegisterReplica: (bytes) =>
    decodeRegisterReplica(beginning(bytes, Command.REGISTER_SLAVE)),
  decodeQuery: (bytes) => decodeQuery(beginning(bytes, Command.QUERY), ALL),
  TextResultSetDecoder: readRows,
  PacketDecoder: (bytes) =>
    new PacketDecoder({ maxPayloadBytes: 5000, acceptsNotices: true })
      .push(bytes),
  ServerAuth: serveLogin,
  ClientAuth: followLogin,
};

function beginning(bytes: Uint8Array, command: number): Uint8Array {
  bytes[0] = command;
  return bytes;
}

function readRows(bytes: Uint8Array): void {
  const decoder = new TextResultSetDecoder(0);
  for (let at = 0; at < bytes.length; at += 3) {
    if (decoder.push(bytes.subarray(at))) return;
  }
}

function serveLogin(bytes: Uint8Array): void {
  const lookup = (user: string) => user === "both" ? ACCOUNT : undefined;
  const auth = new ServerAuth({ lookup, host: "192.0.2.9" });
  auth.greeting({ connectionId: 1, serverVersion: "9", scramble: SCRAMBLE });
  for (let at = 0; at < bytes.length; at++) {
    const step = auth.next(bytes.subarray(at));
    if (!("send" in step)) return;
  }
}

function followLogin(bytes: Uint8Array): void {
  const auth = new ClientAuth();
  const options = { user: "u", password: "p", secure: false };
  auth.start(decodeHandshakeV10(GREETINGS.mysql97), options);
  for (let at = 0; at < bytes.length; at++) {
    if ("done" in auth.next(bytes.subarray(at))) return;
  }
}

function mutated(random: SeededRandom): Uint8Array {
  const bytes = random.chance(0.3)
    ? random.bytes(random.integer(1, 120))
    : random.pick(SAMPLES).slice();
  for (let count = random.integer(0, 6); count > 0; count--) {
    bytes[random.integer(0, bytes.length - 1)] = random.chance(0.4)
      ? random.pick(TELLING_BYTES)
      : random.integer(0, 255);
  }
  return random.chance(0.4)
    ? bytes.slice(0, random.integer(1, bytes.length))
    : bytes;
}

Deno.test("decoders refuse hostile bytes with errors to answer with", () => {
  const random = new SeededRandom(SEED);
  let refused = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = mutated(random);
    for (const [name, decode] of Object.entries(TARGETS)) {
      try {
        decode(bytes.slice());
      } catch (cause) {
        if (cause instanceof ServerError) continue;
        assertInstanceOf(cause, ProtocolError, `${name}: ${hex(bytes)}`);
        refused++;
      }
    }
  }
  assert(refused > ROUNDS, "most of them are refused");
});
