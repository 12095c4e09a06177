import { assertEquals, assertThrows } from "@std/assert";
import { Capability } from "../../../lib/protocol/capability.ts";
import { ErrorCode } from "../../../lib/protocol/error_code.ts";
import {
  decodeHandshakeResponse,
  decodeHandshakeV10,
  encodeHandshakeResponse,
  encodeHandshakeV10,
  encodeSslRequest,
  type HandshakeResponse,
  isSslRequest,
} from "../../../lib/protocol/handshake.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { byteTable } from "../../support/byte_table.ts";
import {
  GREETINGS,
  MARIADB_BINLOG,
  MARIADB_REPLICA,
  MYSQL56_REPLICA,
  MYSQL97_REPLICA,
} from "../../support/captured_login.ts";
import { assertTruncationsRefused } from "../../support/truncation.ts";

const ALL = 0xffffffff;

Deno.test("decodeHandshakeV10() reads MySQL 9.7's greeting", () => {
  assertEquals(decodeHandshakeV10(GREETINGS.mysql97), {
    serverVersion: "9.7.4-2",
    connectionId: 30,
    scramble: byteTable("660264114e33430d 1d4b3077130f3d7b011e5318"),
    capabilities: 0xdfffffff,
    charset: 255,
    statusFlags: 2,
    authPlugin: "caching_sha2_password",
  });
});

Deno.test("decodeHandshakeV10() reads MySQL 5.6's greeting", () => {
  const greeting = decodeHandshakeV10(GREETINGS.mysql56);
  assertEquals(greeting.serverVersion, "5.6.24-log");
  assertEquals(greeting.capabilities, 0xc07fffff);
  assertEquals(greeting.charset, 8);
  assertEquals(greeting.authPlugin, "mysql_native_password");
});

Deno.test("decodeHandshakeV10() reads MariaDB's greeting", () => {
  const greeting = decodeHandshakeV10(GREETINGS.mariadb);
  assertEquals(greeting.serverVersion, "5.5.5-10.11.19-MariaDB-0+deb12u1-log");
  assertEquals(greeting.capabilities, 0x81fffffe);
  assertEquals(greeting.scramble.length, 20);
});

Deno.test("decodeHandshakeV10() refuses every truncation", () => {
  // A plugin name without its NUL is taken: old servers wrote it so.
  const { length } = GREETINGS.mysql97;
  const name = "caching_sha2_password".length + 1;
  const complete = Array.from({ length: name }, (_, i) => length - name + i);
  assertTruncationsRefused(decodeHandshakeV10, GREETINGS.mysql97, complete);
});

Deno.test("decodeHandshakeV10() reads a greeting that names no plugin", () => {
  const greeting = decodeHandshakeV10(byteTable(`
    0a "5.1.0" 00 01000000
    0102030405060708 00
    00a2 21 0200 0000 00 00000000000000000000
    090a0b0c0d0e0f1011121314 00
  `));
  assertEquals(greeting.authPlugin, "");
  assertEquals(greeting.capabilities, 0xa200);
});

Deno.test("decodeHandshakeV10() refuses other protocols", () => {
  const old = byteTable(`09 "3.22" 00 01000000 0102030405060708 00`);
  const error = assertThrows(
    () => decodeHandshakeV10(old),
    ProtocolError,
    "version 9",
  );
  assertEquals(error.code, ErrorCode.ER_HANDSHAKE);
  const without41 = GREETINGS.mysql56.slice();
  without41[26] = 0; // second byte of the capabilities
  without41[25] = 0;
  assertThrows(
    () => decodeHandshakeV10(without41),
    ProtocolError,
    "older than MySQL 4.1",
  );
});

Deno.test("encodeHandshakeV10() writes back what real servers sent", () => {
  for (const bytes of [GREETINGS.mysql97, GREETINGS.mysql56]) {
    assertEquals(encodeHandshakeV10(decodeHandshakeV10(bytes)), bytes);
  }
});

Deno.test("encodeHandshakeV10() refuses a scramble that clients would misread", () => {
  const handshake = decodeHandshakeV10(GREETINGS.mysql97);
  for (const scramble of [new Uint8Array(8).fill(1), new Uint8Array(20)]) {
    assertThrows(
      () => encodeHandshakeV10({ ...handshake, scramble }),
      RangeError,
    );
  }
});

Deno.test("decodeHandshakeResponse() reads a MySQL 9.7 replica's", () => {
  const response = decodeHandshakeResponse(MYSQL97_REPLICA, ALL);
  assertEquals(response, {
    capabilities: 0x99b8a285,
    maxPacketBytes: 1073746023,
    charset: 255,
    user: "both",
    authResponse: byteTable(
      "71192ff0ec98fcb2cbaf7de6f3958c02e20756c534e7f907f65ae0c1125dac26",
    ),
    database: undefined,
    authPlugin: "caching_sha2_password",
    attributes: new Map([
      ["_platform", "x86_64"],
      ["_os", "Linux"],
      ["_client_name", "libmysql"],
      ["_client_replication_channel_name", "kbb"],
      ["_pid", "18762"],
      ["_client_role", "binary_log_listener"],
      ["_client_version", "9.7.4"],
      ["program_name", "mysqld"],
    ]),
  });
});

Deno.test("decodeHandshakeResponse() reads the replicas of MySQL 5.6 and MariaDB", () => {
  for (const bytes of [MYSQL56_REPLICA, MARIADB_REPLICA]) {
    const response = decodeHandshakeResponse(bytes, ALL);
    assertEquals(response.capabilities, 0x8038a205);
    assertEquals(response.user, "both");
    assertEquals(response.authResponse.length, 0);
    assertEquals(response.authPlugin, "mysql_native_password");
    assertEquals(response.attributes.get("_client_name"), "libmysql");
  }
});

Deno.test("decodeHandshakeResponse() refuses every truncation of captured ones", () => {
  for (const bytes of [MYSQL97_REPLICA, MYSQL56_REPLICA, MARIADB_BINLOG]) {
    // Fields after the token may be absent altogether, and a name may end with
    // the packet instead of a NUL.
    const { authResponse, authPlugin } = decodeHandshakeResponse(bytes, ALL);
    const token = 32 + "both\0".length + 1 + authResponse.length;
    const name = authPlugin!.length + 1;
    const complete = Array.from({ length: name + 1 }, (_, i) => token + i);
    assertTruncationsRefused(
      (prefix) => decodeHandshakeResponse(prefix, ALL),
      bytes,
      complete,
    );
  }
});

Deno.test("decodeHandshakeResponse() looks only for what both sides have", () => {
  const without = Capability.PLUGIN_AUTH | Capability.CONNECT_ATTRS;
  const response = decodeHandshakeResponse(
    MYSQL97_REPLICA,
    (ALL & ~without) >>> 0,
  );
  assertEquals(response.authPlugin, undefined);
  assertEquals(response.attributes.size, 0);
  assertEquals(response.capabilities, 0x99b8a285, "as the client sent it");
});

Deno.test("decodeHandshakeResponse() refuses a client of before 4.1", () => {
  const bytes = byteTable(`0000 000000 "root" 00`);
  assertThrows(() => decodeHandshakeResponse(bytes, ALL), ProtocolError, "4.1");
});

Deno.test("decodeHandshakeResponse() reads a client that has only passwords", () => {
  const response = decodeHandshakeResponse(
    byteTable(`
    0da20000 00000001 21
    0000000000000000000000000000000000000000000000
    "kb" 00
    14 0102030405060708090a0b0c0d0e0f1011121314  // one byte of length
    "db" 00
  `),
    ALL,
  );
  assertEquals(response.user, "kb");
  assertEquals(response.authResponse.length, 20);
  assertEquals(response.database, "db");
  assertEquals(response.authPlugin, undefined);
});

function response(fields: Partial<HandshakeResponse>): HandshakeResponse {
  return {
    capabilities: 0x0038a20d,
    maxPacketBytes: 1 << 30,
    charset: 45,
    user: "repl",
    authResponse: byteTable("0102"),
    database: "db",
    authPlugin: "caching_sha2_password",
    attributes: new Map([["program_name", "kingbus"], ["ä", ""]]),
    ...fields,
  };
}

Deno.test("encodeHandshakeResponse() ends with the level of zstd where that is asked for", () => {
  const without = encodeHandshakeResponse(response({}));
  const { ZSTD_COMPRESSION, COMPRESS } = Capability;
  for (
    const [capability, level, last] of [
      [ZSTD_COMPRESSION, 7, [7]],
      [ZSTD_COMPRESSION, undefined, [3]],
      [COMPRESS, 6, []],
    ] as const
  ) {
    const bytes = encodeHandshakeResponse(response({
      capabilities: 0x0038a20d | capability,
      zstdLevel: level,
    }));
    assertEquals(bytes.length, without.length + last.length);
    assertEquals([...bytes.subarray(without.length)], [...last]);
    // one that leaves it out asks for the default
    assertEquals(
      decodeHandshakeResponse(bytes.subarray(0, without.length), ALL).zstdLevel,
      undefined,
    );
  }
});

Deno.test("encodeHandshakeResponse() is read back the same", () => {
  const cases = [
    response({}),
    response({ authResponse: new Uint8Array(0), attributes: new Map() }),
    response({ authResponse: new Uint8Array(300) }),
    response({ attributes: new Map([["long", "x".repeat(70_000)]]) }),
    response({ capabilities: 0x0038a205, database: undefined }),
    response({ capabilities: 0x0028a20d, attributes: new Map() }),
    response({ capabilities: 0x0438a20d, zstdLevel: 19 }),
    response({
      capabilities: 0x0400a205,
      database: undefined,
      authPlugin: undefined,
      attributes: new Map(),
      zstdLevel: 1,
    }),
    response({
      capabilities: 0x0000a205,
      database: undefined,
      authPlugin: undefined,
      attributes: new Map(),
    }),
  ];
  for (const fields of cases) {
    const bytes = encodeHandshakeResponse(fields);
    assertEquals(decodeHandshakeResponse(bytes, ALL), fields);
  }
});

Deno.test("encodeHandshakeResponse() writes back what real clients sent", () => {
  for (const bytes of [MYSQL97_REPLICA, MYSQL56_REPLICA, MARIADB_REPLICA]) {
    const fields = decodeHandshakeResponse(bytes, ALL);
    assertEquals(encodeHandshakeResponse(fields), bytes);
  }
});

Deno.test("encodeHandshakeResponse() refuses names with a NUL", () => {
  for (const fields of [{ user: "a\0b" }, { database: "a\0b" }]) {
    assertThrows(() => encodeHandshakeResponse(response(fields)), RangeError);
  }
});

Deno.test("isSslRequest() tells an SSL request from a response", () => {
  const request = encodeSslRequest({
    capabilities: 0x99b8a285,
    maxPacketBytes: 1073746023,
    charset: 255,
  });
  assertEquals(
    request,
    byteTable(`
      85aab899 67100040 ff
      0000000000000000000000000000000000000000000000
    `),
  );
  assertEquals(isSslRequest(request), true);
  assertEquals(isSslRequest(MYSQL97_REPLICA), false);
  assertEquals(isSslRequest(MYSQL97_REPLICA.subarray(0, 32)), false);
  assertEquals(isSslRequest(request.subarray(0, 31)), false);
  assertEquals(isSslRequest(new Uint8Array(0)), false);
});
