import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { generateKeyPairSync } from "node:crypto";
import {
  cachingSha2Token,
  decryptPasswordRsa,
  doubleSha1,
  doubleSha256,
  encryptPasswordRsa,
  equalBytes,
  nativePasswordToken,
  nulTerminatedPassword,
  proveCertificate,
  scrambleFromRandom,
  verifyCachingSha2,
  verifyNativePassword,
} from "../../../lib/protocol/auth.ts";
import { decodeHandshakeV10 } from "../../../lib/protocol/handshake.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { byteTable, hex } from "../../support/byte_table.ts";
import {
  GREETINGS,
  NATIVE_TOKEN,
  SCRAMBLE,
} from "../../support/captured_login.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

const KEYS = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

Deno.test("nativePasswordToken() makes what real servers accepted", () => {
  for (
    const [greeting, token] of [
      [GREETINGS.mysql56, GREETINGS.mysql56Token],
      [GREETINGS.mariadb, GREETINGS.mariadbToken],
    ] as const
  ) {
    const { scramble } = decodeHandshakeV10(greeting);
    assertEquals(nativePasswordToken("apppass", scramble), token);
  }
});

Deno.test("nativePasswordToken() makes what real clients sent", () => {
  assertEquals(nativePasswordToken("pw", SCRAMBLE), NATIVE_TOKEN);
});

Deno.test("cachingSha2Token() makes what MySQL 9.7 accepted", () => {
  const { scramble } = decodeHandshakeV10(GREETINGS.mysql97);
  assertEquals(cachingSha2Token("apppass", scramble), GREETINGS.mysql97Token);
});

Deno.test("tokens of the empty password are empty", () => {
  assertEquals(nativePasswordToken("", SCRAMBLE).length, 0);
  assertEquals(cachingSha2Token("", SCRAMBLE).length, 0);
});

Deno.test("doubleSha1() is what MySQL shows as authentication_string", () => {
  // SELECT PASSWORD('password') of MySQL 5.6, without its asterisk.
  assertEquals(
    hex(doubleSha1("password")).toUpperCase(),
    "2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19",
  );
});

Deno.test("verifyNativePassword() accepts the right token only", () => {
  const secret = doubleSha1("pässword");
  const token = nativePasswordToken("pässword", SCRAMBLE);
  assert(verifyNativePassword(token, SCRAMBLE, secret));
  for (const wrong of misshapen(token)) {
    assertFalse(verifyNativePassword(wrong, SCRAMBLE, secret));
  }
  assertFalse(verifyNativePassword(token, SCRAMBLE, doubleSha1("x")));
  assertFalse(verifyNativePassword(token, SCRAMBLE.toReversed(), secret));
});

Deno.test("verifyCachingSha2() accepts the right token only", () => {
  const secret = doubleSha256("pässword");
  const token = cachingSha2Token("pässword", SCRAMBLE);
  assert(verifyCachingSha2(token, SCRAMBLE, secret));
  for (const wrong of misshapen(token)) {
    assertFalse(verifyCachingSha2(wrong, SCRAMBLE, secret));
  }
  assertFalse(verifyCachingSha2(token, SCRAMBLE, doubleSha256("x")));
  assertFalse(verifyCachingSha2(token, SCRAMBLE.toReversed(), secret));
});

/** A token one bit off, cut at every length, and too long. */
function misshapen(token: Uint8Array): Uint8Array[] {
  const flipped = token.slice();
  flipped[7]! ^= 1;
  const longer = new Uint8Array(token.length + 1);
  longer.set(token);
  const cut = Array.from(token, (_, length) => token.subarray(0, length));
  return [flipped, longer, ...cut];
}

Deno.test("decryptPasswordRsa() reverses encryptPasswordRsa()", () => {
  for (const password of ["pw", "", "geheim-Ö€", "x".repeat(200)]) {
    const encrypted = encryptPasswordRsa(password, SCRAMBLE, KEYS.publicKey);
    assertEquals(encrypted.length, 256);
    assertEquals(
      decryptPasswordRsa(encrypted, SCRAMBLE, KEYS.privateKey),
      password,
    );
  }
});

Deno.test("decryptPasswordRsa() answers nothing for what was not made for it", () => {
  const encrypted = encryptPasswordRsa("pw", SCRAMBLE, KEYS.publicKey);
  const flipped = encrypted.slice();
  flipped[100]! ^= 1;
  const cases = [
    flipped,
    encrypted.subarray(1),
    new Uint8Array(0),
    new Uint8Array(256),
    new Uint8Array(257).fill(255),
  ];
  for (const wrong of cases) {
    assertEquals(
      decryptPasswordRsa(wrong, SCRAMBLE, KEYS.privateKey),
      undefined,
    );
  }
  // With another scramble the NUL at the end is not one.
  assertEquals(
    decryptPasswordRsa(encrypted, SCRAMBLE.toReversed(), KEYS.privateKey),
    undefined,
  );
});

Deno.test("encryptPasswordRsa() refuses a useless key and a password too long for it", () => {
  for (
    const pem of [
      "",
      "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    ]
  ) {
    assertThrows(() => encryptPasswordRsa("pw", SCRAMBLE, pem), ProtocolError);
  }
  const long = "x".repeat(300);
  const error = assertThrows(
    () => encryptPasswordRsa(long, SCRAMBLE, KEYS.publicKey),
    ProtocolError,
  );
  assertFalse(error.message.includes("xxx"), "no secret in the message");
});

Deno.test("nulTerminatedPassword() wants a NUL at the end", () => {
  assertEquals(nulTerminatedPassword(byteTable(`"replpass" 00`)), "replpass");
  assertEquals(nulTerminatedPassword(byteTable("00")), "");
  assertEquals(nulTerminatedPassword(byteTable(`"replpass"`)), undefined);
  assertEquals(nulTerminatedPassword(new Uint8Array(0)), undefined);
});

Deno.test("scrambleFromRandom() avoids NUL, $ and bytes above 127", () => {
  const random = new SeededRandom(7);
  const seen = new Set<number>();
  for (let i = 0; i < 500; i++) {
    for (const byte of scrambleFromRandom(random.bytes(20))) seen.add(byte);
  }
  const expected = Array.from({ length: 127 }, (_, i) => i + 1)
    .filter((byte) => byte !== 0x24);
  assertEquals([...seen].sort((a, b) => a - b), expected);
  assertThrows(() => scrambleFromRandom(new Uint8Array(8)), RangeError);
});

Deno.test("equalBytes() compares lengths too", () => {
  assert(equalBytes(byteTable("0102"), byteTable("0102")));
  assertFalse(equalBytes(byteTable("0102"), byteTable("0103")));
  assertFalse(equalBytes(byteTable("0102"), byteTable("010200")));
});

Deno.test("proveCertificate() says what MariaDB 11.8 says of its certificate", () => {
  // the formula was found with a real server's answer
  const scramble = Uint8Array.from({ length: 20 }, (_, index) => index + 1);
  const certificate = new TextEncoder().encode("certificate");
  assertEquals(
    proveCertificate(doubleSha1("replpass"), scramble, certificate),
    "\x0139E8851F6EE3278429E1A06DBADCFB649A514B331D457C13D7BF0CDEE8E7105D",
  );
});
