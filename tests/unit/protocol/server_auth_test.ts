import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  AuthPlugin,
  cachingSha2Token,
  doubleSha1,
  doubleSha256,
  nativePasswordToken,
} from "../../../lib/protocol/auth.ts";
import { Capability } from "../../../lib/protocol/capability.ts";
import { ErrorCode } from "../../../lib/protocol/error_code.ts";
import {
  decodeHandshakeV10,
  encodeHandshakeResponse,
  encodeSslRequest,
  type HandshakeResponse,
} from "../../../lib/protocol/handshake.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { decodeErr, isOk } from "../../../lib/protocol/response.ts";
import {
  type Account,
  accountFromPassword,
  type Greeting,
  SERVER_CAPABILITIES,
  ServerAuth,
  type ServerAuthOptions,
  type ServerAuthStep,
} from "../../../lib/protocol/server_auth.ts";
import { byteTable } from "../../support/byte_table.ts";
import {
  MARIADB_BINLOG,
  MARIADB_REPLICA,
  MYSQL56_REPLICA,
  MYSQL97_REPLICA,
  NATIVE_TOKEN,
  SCRAMBLE,
} from "../../support/captured_login.ts";

const ACCOUNTS = new Map<string, Account>([
  ["both", accountFromPassword("both", "pw")],
  ["sha1", { name: "sha1", doubleSha1: doubleSha1("pw") }],
  ["sha2", { name: "sha2", doubleSha256: doubleSha256("pw") }],
  ["empty", accountFromPassword("empty", "")],
]);

const EMPTY = new Uint8Array(0);
const RESPONSE: HandshakeResponse = {
  capabilities: SERVER_CAPABILITIES & ~Capability.CONNECT_WITH_DB,
  maxPacketBytes: 1 << 30,
  charset: 45,
  user: "both",
  authResponse: EMPTY,
  authPlugin: AuthPlugin.CACHING_SHA2,
  attributes: new Map(),
};

function greeted(
  options: Partial<ServerAuthOptions> = {},
  greeting: Partial<Greeting> = {},
): ServerAuth {
  const lookup = (user: string) => ACCOUNTS.get(user);
  const auth = new ServerAuth({ lookup, host: "192.0.2.9", ...options });
  auth.greeting({
    connectionId: 10,
    serverVersion: "9.7.4",
    scramble: SCRAMBLE,
    ...greeting,
  });
  return auth;
}

function response(fields: Partial<HandshakeResponse>): Uint8Array {
  return encodeHandshakeResponse({ ...RESPONSE, ...fields });
}

function nativeSwitch(plugin: string): Uint8Array {
  return byteTable(`
    fe "${plugin}" 00
    0102030405060708090a0b0c0d0e0f1011121314 00
  `);
}

function assertAccepted(
  step: ServerAuthStep,
  plugin: string,
  replyCount: number,
): void {
  assert("accepted" in step, "accepted");
  assertEquals(step.accepted.authPlugin, plugin);
  assertEquals(step.replies.length, replyCount);
  assert(isOk(step.replies.at(-1)!));
}

function assertRefused(step: ServerAuthStep, message: string): void {
  assert("refused" in step, "refused");
  const error = decodeErr(step.refused);
  assertEquals([error.code, error.sqlState], [
    ErrorCode.ER_ACCESS_DENIED,
    "28000",
  ]);
  assertEquals(error.message, message);
}

Deno.test("ServerAuth.greeting() says what it was given and sound defaults", () => {
  const auth = new ServerAuth({ lookup: () => undefined, host: "h" });
  const greeting = decodeHandshakeV10(
    auth.greeting({
      connectionId: 4294967295,
      serverVersion: "8.4.0",
      scramble: SCRAMBLE,
    }),
  );
  assertEquals(greeting, {
    serverVersion: "8.4.0",
    connectionId: 4294967295,
    scramble: SCRAMBLE,
    capabilities: SERVER_CAPABILITIES,
    charset: 45,
    statusFlags: 2,
    authPlugin: AuthPlugin.CACHING_SHA2,
  });
});

Deno.test("ServerAuth accepts a MySQL 9.7 replica by the fast exchange", () => {
  const step = greeted().next(MYSQL97_REPLICA);
  assertAccepted(step, AuthPlugin.CACHING_SHA2, 2);
  assert("accepted" in step);
  assertEquals(step.replies[0], byteTable("01 03"));
  const { accepted } = step;
  assertEquals(accepted.user, "both");
  assertEquals(accepted.capabilities, 0x0138a205, "common to both sides");
  assertEquals(accepted.charset, 255);
  assertEquals(accepted.maxPacketBytes, 1073746023);
  assertEquals(accepted.attributes.get("program_name"), "mysqld");
  assertEquals(accepted.secure, false);
  assertEquals(accepted.database, undefined);
});

Deno.test("ServerAuth accepts mariadb-binlog by the fast exchange", () => {
  assertAccepted(greeted().next(MARIADB_BINLOG), AuthPlugin.CACHING_SHA2, 2);
});

Deno.test("ServerAuth switches the replicas of MySQL 5.6 and MariaDB to their own plugin", () => {
  for (const captured of [MYSQL56_REPLICA, MARIADB_REPLICA]) {
    const auth = greeted();
    assertEquals(auth.next(captured), {
      send: nativeSwitch(AuthPlugin.NATIVE),
    });
    assertAccepted(auth.next(NATIVE_TOKEN), AuthPlugin.NATIVE, 1);
  }
});

Deno.test("ServerAuth takes a native token made from the greeting's scramble", () => {
  const authResponse = nativePasswordToken("pw", SCRAMBLE);
  const authPlugin = AuthPlugin.NATIVE;
  const step = greeted().next(response({ authResponse, authPlugin }));
  assertAccepted(step, AuthPlugin.NATIVE, 1);
});

Deno.test("ServerAuth takes clients that know no plugins", () => {
  const authResponse = nativePasswordToken("pw", SCRAMBLE);
  const capabilities = Capability.PROTOCOL_41 | Capability.SECURE_CONNECTION;
  const step = greeted().next(response({ capabilities, authResponse }));
  assertAccepted(step, AuthPlugin.NATIVE, 1);
  assertRefused(
    greeted().next(response({ capabilities, authResponse, user: "sha2" })),
    "Access denied for user 'sha2'@'192.0.2.9' (using password: YES)",
  );
});

Deno.test("ServerAuth guesses the plugin of a client that names none", () => {
  const native = nativePasswordToken("pw", SCRAMBLE);
  const sha2 = cachingSha2Token("pw", SCRAMBLE);
  for (
    const [authResponse, plugin] of [
      [native, AuthPlugin.NATIVE],
      [sha2, AuthPlugin.CACHING_SHA2],
    ] as const
  ) {
    const step = greeted().next(response({ authResponse, authPlugin: "" }));
    assert("accepted" in step);
    assertEquals(step.accepted.authPlugin, plugin);
  }
});

Deno.test("ServerAuth switches clients with an unknown plugin to caching_sha2_password", () => {
  for (
    const authPlugin of ["mysql_clear_password", "sha256_password", "dialog"]
  ) {
    const auth = greeted();
    assertEquals(
      auth.next(response({ authPlugin, authResponse: byteTable(`"pw" 00`) })),
      { send: nativeSwitch(AuthPlugin.CACHING_SHA2) },
    );
    assertAccepted(
      auth.next(cachingSha2Token("pw", SCRAMBLE)),
      AuthPlugin.CACHING_SHA2,
      2,
    );
  }
});

Deno.test("ServerAuth switches to the plugin that the account has a secret for", () => {
  const native = { authPlugin: AuthPlugin.NATIVE, authResponse: NATIVE_TOKEN };
  assertEquals(
    greeted().next(response({ ...native, user: "sha2" })),
    { send: nativeSwitch(AuthPlugin.CACHING_SHA2) },
  );
  const authResponse = cachingSha2Token("pw", SCRAMBLE);
  assertEquals(
    greeted().next(response({ authResponse, user: "sha1" })),
    { send: nativeSwitch(AuthPlugin.NATIVE) },
    "no key and no TLS to send the password over",
  );
});

Deno.test("ServerAuth with a native greeting takes a client that lacks that plugin", () => {
  const greeting = { authPlugin: AuthPlugin.NATIVE };
  const auth = greeted({}, greeting);
  assertEquals(auth.next(response({})), {
    send: nativeSwitch(AuthPlugin.CACHING_SHA2),
  });
  assertAccepted(
    auth.next(cachingSha2Token("pw", SCRAMBLE)),
    AuthPlugin.CACHING_SHA2,
    2,
  );
  const direct = response({
    authPlugin: AuthPlugin.NATIVE,
    authResponse: NATIVE_TOKEN,
  });
  assertAccepted(greeted({}, greeting).next(direct), AuthPlugin.NATIVE, 1);
});

Deno.test("ServerAuth refuses a wrong password and an unknown user alike", () => {
  for (
    const [plugin, token] of [
      [AuthPlugin.NATIVE, nativePasswordToken],
      [AuthPlugin.CACHING_SHA2, cachingSha2Token],
    ] as const
  ) {
    for (const user of ["both", "nobody"]) {
      const authResponse = token("wrong", SCRAMBLE);
      assertRefused(
        greeted().next(response({ user, authResponse, authPlugin: plugin })),
        `Access denied for user '${user}'@'192.0.2.9' (using password: YES)`,
      );
    }
  }
});

Deno.test("ServerAuth goes through the same exchange for an unknown user", () => {
  const stepsOf = (user: string) => {
    const auth = greeted();
    const first = auth.next(response({ user, authPlugin: AuthPlugin.NATIVE }));
    return [
      first,
      Object.keys(auth.next(nativePasswordToken("wrong", SCRAMBLE))),
    ];
  };
  assertEquals(stepsOf("nobody"), stepsOf("both"));
});

Deno.test("ServerAuth says when no password was used", () => {
  for (const authResponse of [EMPTY, Uint8Array.of(0)]) {
    assertRefused(
      greeted().next(response({ authResponse })),
      "Access denied for user 'both'@'192.0.2.9' (using password: NO)",
    );
  }
  const auth = greeted();
  auth.next(MYSQL56_REPLICA);
  assertRefused(
    auth.next(EMPTY),
    "Access denied for user 'both'@'192.0.2.9' (using password: NO)",
  );
});

Deno.test("ServerAuth lets an account without a password in without one only", () => {
  for (const authResponse of [EMPTY, Uint8Array.of(0)]) {
    const step = greeted().next(response({ user: "empty", authResponse }));
    assertAccepted(step, AuthPlugin.CACHING_SHA2, 1);
  }
  const authResponse = cachingSha2Token("pw", SCRAMBLE);
  const step = greeted().next(response({ user: "empty", authResponse }));
  assert("refused" in step);
});

Deno.test("ServerAuth refuses an empty password for an unknown user", () => {
  assert("refused" in greeted().next(response({ user: "nobody" })));
});

Deno.test("ServerAuth refuses tokens of any other length", () => {
  for (const authPlugin of [AuthPlugin.NATIVE, AuthPlugin.CACHING_SHA2]) {
    for (const length of [1, 19, 21, 31, 33, 255, 300]) {
      const authResponse = new Uint8Array(length).fill(1);
      assert(
        "refused" in greeted().next(response({ authResponse, authPlugin })),
      );
    }
  }
});

Deno.test("ServerAuth takes a clear password over TLS where it has no SHA-256 secret", () => {
  const authResponse = cachingSha2Token("pw", SCRAMBLE);
  const start = () => {
    const auth = greeted({ secure: true });
    const step = auth.next(response({ user: "sha1", authResponse }));
    assertEquals(step, { send: byteTable("01 04") });
    return auth;
  };
  assertAccepted(
    start().next(byteTable(`"pw" 00`)),
    AuthPlugin.CACHING_SHA2,
    1,
  );
  for (const wrong of [`"pw"`, `"wrong" 00`, "", "00", "02"]) {
    assert("refused" in start().next(byteTable(wrong)));
  }
});

Deno.test("ServerAuth never takes a clear password without TLS", () => {
  const rsaKeyPair = { publicKeyPem: "public", privateKeyPem: "private" };
  const auth = greeted({ rsaKeyPair });
  const authResponse = cachingSha2Token("pw", SCRAMBLE);
  auth.next(response({ user: "sha1", authResponse }));
  assert("refused" in auth.next(byteTable(`"pw" 00`)));
});

Deno.test("ServerAuth hands its public key out once", () => {
  const rsaKeyPair = { publicKeyPem: "PEM", privateKeyPem: "private" };
  const auth = greeted({ rsaKeyPair });
  const authResponse = cachingSha2Token("pw", SCRAMBLE);
  auth.next(response({ user: "sha1", authResponse }));
  assertEquals(auth.next(byteTable("02")), { send: byteTable(`01 "PEM"`) });
  assert("refused" in auth.next(byteTable("02")));
});

Deno.test("ServerAuth starts TLS where it announced it", () => {
  const capabilities = (SERVER_CAPABILITIES | Capability.SSL) >>> 0;
  const request = encodeSslRequest(RESPONSE);
  const auth = greeted({}, { capabilities });
  assertEquals(auth.next(request), { startTls: true });
  const step = auth.next(MYSQL97_REPLICA);
  assert("accepted" in step);
  assertEquals(step.accepted.secure, true);
  assertThrows(() => greeted().next(request), ProtocolError, "not announced");
  const twice = greeted({}, { capabilities });
  twice.next(request);
  assertThrows(() => twice.next(request), ProtocolError);
});

Deno.test("ServerAuth passes on database and attributes", () => {
  const step = greeted().next(response({
    capabilities: SERVER_CAPABILITIES,
    authResponse: cachingSha2Token("pw", SCRAMBLE),
    database: "db",
    attributes: new Map([["program_name", "x"]]),
  }));
  assert("accepted" in step);
  assertEquals(step.accepted.database, "db");
  assertEquals(step.accepted.attributes, new Map([["program_name", "x"]]));
});

Deno.test("ServerAuth refuses malformed responses with an error to send", () => {
  const long = response({ user: "x".repeat(257) });
  const error = assertThrows(
    () => greeted().next(long),
    ProtocolError,
    "257 bytes",
  );
  assertEquals(error.code, ErrorCode.ER_HANDSHAKE);
  for (let length = 0; length < 40; length++) {
    const prefix = MYSQL97_REPLICA.subarray(0, length);
    assertThrows(() => greeted().next(prefix), ProtocolError);
  }
});

Deno.test("ServerAuth takes nothing before its greeting and after its verdict", () => {
  const early = new ServerAuth({ lookup: () => undefined, host: "h" });
  assertThrows(() => early.next(MYSQL97_REPLICA), TypeError);
  const late = greeted();
  late.next(MYSQL97_REPLICA);
  assertThrows(() => late.next(MYSQL97_REPLICA), TypeError);
  assertThrows(
    () =>
      late.greeting({
        connectionId: 1,
        serverVersion: "8",
        scramble: SCRAMBLE,
      }),
    TypeError,
  );
});
