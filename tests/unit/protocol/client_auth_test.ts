import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { AuthPlugin } from "../../../lib/protocol/auth.ts";
import {
  encodeAuthMoreData,
  encodeAuthSwitch,
} from "../../../lib/protocol/auth_packet.ts";
import { Capability } from "../../../lib/protocol/capability.ts";
import {
  ClientAuth,
  type ClientAuthOptions,
} from "../../../lib/protocol/client_auth.ts";
import {
  decodeHandshakeResponse,
  decodeHandshakeV10,
  type HandshakeResponse,
  type HandshakeV10,
} from "../../../lib/protocol/handshake.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { encodeErr, encodeOk } from "../../../lib/protocol/response.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { byteTable, hex } from "../../support/byte_table.ts";
import {
  GREETINGS,
  NATIVE_TOKEN,
  SCRAMBLE,
} from "../../support/captured_login.ts";

const OPTIONS: ClientAuthOptions = {
  user: "app",
  password: "apppass",
  secure: false,
};
const ALL = 0xffffffff;

function started(
  greeting: Uint8Array,
  options: Partial<ClientAuthOptions> = {},
  changes: Partial<HandshakeV10> = {},
): { auth: ClientAuth; response: HandshakeResponse } {
  const auth = new ClientAuth();
  const handshake = { ...decodeHandshakeV10(greeting), ...changes };
  const payload = auth.start(handshake, { ...OPTIONS, ...options });
  return { auth, response: decodeHandshakeResponse(payload, ALL) };
}

function nativeSwitch(): Uint8Array {
  return encodeAuthSwitch({ plugin: AuthPlugin.NATIVE, scramble: SCRAMBLE });
}

Deno.test("ClientAuth answers MySQL 9.7 as it accepted it", () => {
  const { auth, response } = started(GREETINGS.mysql97);
  assertEquals(response.authResponse, GREETINGS.mysql97Token);
  assertEquals(response.authPlugin, AuthPlugin.CACHING_SHA2);
  assertEquals(response.capabilities, 0x0038a205);
  assertEquals(response.user, "app");
  assertEquals(auth.next(byteTable("01 03")), { read: true });
  assertEquals(auth.next(encodeOk()), { done: true });
  assertEquals(auth.capabilities, 0x0038a205);
});

Deno.test("ClientAuth answers MySQL 5.6 and MariaDB as they accepted it", () => {
  for (
    const [greeting, token] of [
      [GREETINGS.mysql56, GREETINGS.mysql56Token],
      [GREETINGS.mariadb, GREETINGS.mariadbToken],
    ] as const
  ) {
    const { auth, response } = started(greeting);
    assertEquals(response.authResponse, token);
    assertEquals(response.authPlugin, AuthPlugin.NATIVE);
    // Without this bit MariaDB would expect its own protocol extensions.
    assert(response.capabilities & Capability.LONG_PASSWORD);
    assertEquals(auth.next(encodeOk()), { done: true });
  }
});

Deno.test("ClientAuth asks for no more than the server has", () => {
  const capabilities = Capability.PROTOCOL_41 | Capability.SECURE_CONNECTION;
  const { auth, response } = started(GREETINGS.mysql56, {
    database: "db",
    attributes: new Map([["program_name", "kingbus"]]),
  }, { capabilities, authPlugin: "" });
  assertEquals(auth.capabilities, capabilities | Capability.LONG_PASSWORD);
  assertEquals(response.authPlugin, undefined);
  assertEquals(response.database, undefined);
  assertEquals(response.authResponse, GREETINGS.mysql56Token);
});

Deno.test("ClientAuth names database and attributes", () => {
  const attributes = new Map([["program_name", "kingbus"]]);
  const { response } = started(GREETINGS.mysql97, {
    database: "db",
    attributes,
  });
  assertEquals(response.database, "db");
  assertEquals(response.attributes, attributes);
});

Deno.test("ClientAuth follows a switch to mysql_native_password", () => {
  const { auth } = started(GREETINGS.mysql97, { password: "pw" });
  assertEquals(auth.next(nativeSwitch()), { send: NATIVE_TOKEN });
  assertEquals(auth.next(encodeOk()), { done: true });
});

Deno.test("ClientAuth says nothing for a plugin it lacks and follows the switch", () => {
  const { auth, response } = started(GREETINGS.mysql56, {}, {
    authPlugin: "authentication_ldap_simple",
  });
  assertEquals(response.authResponse.length, 0);
  assertEquals(response.authPlugin, AuthPlugin.CACHING_SHA2);
  assert("send" in auth.next(nativeSwitch()));
});

Deno.test("ClientAuth sends an empty password as nothing, or as a NUL where it must", () => {
  for (const greeting of [GREETINGS.mysql97, GREETINGS.mysql56]) {
    const { response } = started(greeting, { password: "" });
    assertEquals(response.authResponse.length, 0);
  }
  for (
    const [plugin, sent] of [
      [AuthPlugin.NATIVE, ""],
      [AuthPlugin.CACHING_SHA2, "00"],
      [AuthPlugin.SHA256, "00"],
    ] as const
  ) {
    const { auth } = started(GREETINGS.mysql97, { password: "" });
    const step = auth.next(encodeAuthSwitch({ plugin, scramble: SCRAMBLE }));
    assertEquals(step, { send: byteTable(sent) });
  }
});

Deno.test("ClientAuth sends the clear password over TLS only", () => {
  const secure = started(GREETINGS.mysql97, { secure: true });
  assert(secure.response.capabilities & Capability.SSL);
  assertEquals(secure.auth.next(byteTable("01 04")), {
    send: byteTable(`"apppass" 00`),
  });
  const open = started(GREETINGS.mysql97);
  assertEquals(open.auth.next(byteTable("01 04")), { send: byteTable("02") });
});

Deno.test("ClientAuth asks sha256_password servers for their key", () => {
  const { auth } = started(GREETINGS.mysql97);
  const authSwitch = encodeAuthSwitch({
    plugin: AuthPlugin.SHA256,
    scramble: SCRAMBLE,
  });
  assertEquals(auth.next(authSwitch), { send: byteTable("01") });
  const secure = started(GREETINGS.mysql97, { secure: true });
  assertEquals(secure.auth.next(authSwitch), {
    send: byteTable(`"apppass" 00`),
  });
});

Deno.test("ClientAuth throws the server's refusal", () => {
  const { auth } = started(GREETINGS.mysql97);
  const refusal = encodeErr({
    code: 1045,
    sqlState: "28000",
    message: "Access denied",
  });
  const error = assertThrows(
    () => auth.next(refusal),
    ServerError,
    "Access denied",
  );
  assertEquals(error.code, 1045);
  assertThrows(() => auth.next(encodeOk()), TypeError, "outside of a login");
});

Deno.test("ClientAuth refuses servers that ask for anything else", () => {
  const clear = encodeAuthSwitch({
    plugin: "mysql_clear_password",
    scramble: SCRAMBLE,
  });
  const short = byteTable(`fe "mysql_native_password" 00 0102 00`);
  const cases: [Uint8Array[], string][] = [
    [[clear], `login method "mysql_clear_password"`],
    [[byteTable("fe")], `login method "mysql_old_password"`],
    [[short], "scramble of 3 bytes"],
    [[nativeSwitch(), nativeSwitch()], "twice"],
    [
      [nativeSwitch(), byteTable("01 04")],
      "unknown data for mysql_native_password",
    ],
    [[byteTable("01 05")], "unknown data for caching_sha2_password"],
    [[byteTable("01")], "unknown data"],
    [[byteTable("03 00")], "unknown packet (0x3)"],
    [[new Uint8Array(0)], "empty packet"],
    [[byteTable("01 04"), byteTable(`01 "no key"`)], "public key"],
  ];
  for (const [payloads, message] of cases) {
    const { auth } = started(GREETINGS.mysql97);
    const error = assertThrows(
      () => payloads.forEach((payload) => auth.next(payload)),
      ProtocolError,
      message,
    );
    assertFalse(error.message.includes("apppass"), "no secret in the message");
  }
});

Deno.test("ClientAuth with a key of its own does not ask for one", () => {
  const { auth } = started(GREETINGS.mysql97, { serverPublicKeyPem: "no key" });
  assertThrows(
    () => auth.next(byteTable("01 04")),
    ProtocolError,
    "public key",
  );
  const asking = started(GREETINGS.mysql97).auth;
  asking.next(byteTable("01 04"));
  assertThrows(
    () => asking.next(encodeAuthMoreData(byteTable("03"))),
    ProtocolError,
  );
});

Deno.test("ClientAuth never puts the password into its response", () => {
  const auth = new ClientAuth();
  const payload = auth.start(decodeHandshakeV10(GREETINGS.mysql97), OPTIONS);
  assertFalse(hex(payload).includes(hex(byteTable(`"apppass"`))));
});

Deno.test("ClientAuth takes nothing before it started and starts once", () => {
  const auth = new ClientAuth();
  assertThrows(() => auth.next(encodeOk()), TypeError);
  const handshake = decodeHandshakeV10(GREETINGS.mysql97);
  auth.start(handshake, OPTIONS);
  assertThrows(() => auth.start(handshake, OPTIONS), TypeError);
});
