import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { ErrorCode, sqlStateFor } from "../../../lib/protocol/error_code.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import {
  decodeErr,
  decodeOk,
  encodeEof,
  encodeErr,
  encodeOk,
  isEof,
  isErr,
  isOk,
} from "../../../lib/protocol/response.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { byteTable, hex } from "../../support/byte_table.ts";
import { assertTruncationsRefused } from "../../support/truncation.ts";

// MySQL 9.7's answer to a misspelt statement, as captured.
const PARSE_ERROR = byteTable(`
  ff 2804 "#42000"
  "You have an error in your SQL syntax; check the manual that corresponds "
  "to your MySQL server version for the right syntax to use near 'FOO' at line 1"
`);

Deno.test("encodeOk() writes the OK that replicas get to SET", () => {
  assertEquals(encodeOk(), byteTable("00 00 00 0200 0000"));
});

Deno.test("encodeOk() writes every field", () => {
  const bytes = encodeOk({
    affectedRows: 300,
    lastInsertId: 0xffffffffffffffffn,
    statusFlags: 0x4003,
    warnings: 1,
    info: "hi",
  });
  assertEquals(
    bytes,
    byteTable(`00 fc2c01 feffffffffffffffff 0340 0100 02 "hi"`),
  );
  assertEquals(decodeOk(bytes), {
    affectedRows: 300n,
    lastInsertId: 0xffffffffffffffffn,
    statusFlags: 0x4003,
    warnings: 1,
  });
});

Deno.test("encodeOk() ends rows where EOF packets are deprecated", () => {
  const bytes = encodeOk({ endsRows: true });
  assertEquals(bytes, byteTable("fe 00 00 0200 0000"));
  assert(isEof(bytes));
  assertEquals(decodeOk(bytes).statusFlags, 2);
});

Deno.test("decodeOk() refuses every truncation and other packets", () => {
  assertTruncationsRefused(decodeOk, byteTable("00 fc2c01 fd000001 0200 0000"));
  assertThrows(() => decodeOk(byteTable("ff 1504")), ProtocolError, "0xff");
});

Deno.test("encodeErr() writes what MySQL 9.7 wrote", () => {
  const { code, sqlState, message } = decodeErr(PARSE_ERROR);
  assertEquals(encodeErr({ code, sqlState, message }), PARSE_ERROR);
});

Deno.test("encodeErr() leaves the SQLSTATE out before the 4.1 protocol is agreed", () => {
  const error = new ProtocolError(ErrorCode.ER_CON_COUNT_ERROR, "Too many");
  assertEquals(encodeErr(error, 0), byteTable(`ff 1004 "Too many"`));
  assertEquals(encodeErr(error), byteTable(`ff 1004 "#08004" "Too many"`));
});

Deno.test("encodeErr() cuts a message at 512 bytes, not inside a character", () => {
  const sent = (message: string) => {
    const bytes = encodeErr({ code: 1236, sqlState: "HY000", message });
    return decodeErr(bytes).message;
  };
  assertEquals(sent("x".repeat(512)), "x".repeat(512));
  assertEquals(sent("x".repeat(513)), "x".repeat(512));
  assertEquals(sent("x".repeat(511) + "äy"), "x".repeat(511));
  assertEquals(sent("x".repeat(510) + "äy"), "x".repeat(510) + "ä");
  assertEquals(sent("x".repeat(509) + "😀"), "x".repeat(509));
});

Deno.test("encodeErr() writes five characters of SQLSTATE whatever it is given", () => {
  const bytes = encodeErr({ code: 1, sqlState: "toolong", message: "m" });
  assertEquals(bytes, byteTable(`ff 0100 "#HY000" "m"`));
});

Deno.test("decodeErr() reads an error with its SQLSTATE", () => {
  const error = decodeErr(PARSE_ERROR);
  assert(error instanceof ServerError);
  assertEquals([error.code, error.sqlState], [1064, "42000"]);
  assert(error.message.endsWith("near 'FOO' at line 1"));
});

Deno.test("decodeErr() reads an error without a SQLSTATE", () => {
  const cases: [string, string][] = [
    [`ff 1004 "Too many connections"`, "Too many connections"],
    [`ff 1004 "#0800"`, "#0800"], // too short to be one
    [`ff 1004`, ""],
  ];
  for (const [bytes, message] of cases) {
    const error = decodeErr(byteTable(bytes));
    assertEquals([error.code, error.sqlState], [1040, "HY000"]);
    assertEquals(error.message, message);
  }
});

Deno.test("decodeErr() refuses packets without a code and other packets", () => {
  assertTruncationsRefused(decodeErr, byteTable("ff 1004"));
  assertThrows(() => decodeErr(byteTable("00 0000")), ProtocolError, "0x0");
});

Deno.test("encodeEof() writes the five bytes that end a dump", () => {
  assertEquals(encodeEof(), byteTable("fe 0000 0200"));
  assertEquals(
    hex(encodeEof({ warnings: 3, statusFlags: 0x22 })),
    "fe03002200",
  );
});

Deno.test("isOk(), isErr() and isEof() tell packets apart", () => {
  assert(isOk(encodeOk()));
  assert(isErr(PARSE_ERROR));
  assert(isEof(encodeEof()));
  assertFalse(isEof(byteTable("fe 0000000100000000 61")), "a row of 16 MiB");
  for (const is of [isOk, isErr, isEof]) assertFalse(is(new Uint8Array(0)));
});

Deno.test("sqlStateFor() answers the server's states", () => {
  assertEquals(sqlStateFor(ErrorCode.ER_ACCESS_DENIED), "28000");
  assertEquals(sqlStateFor(ErrorCode.ER_UNKNOWN_COM), "08S01");
  assertEquals(sqlStateFor(ErrorCode.ER_SPECIFIC_ACCESS_DENIED), "42000");
  for (
    const code of [
      ErrorCode.ER_SOURCE_FATAL_ERROR_READING_BINLOG,
      ErrorCode.ER_UNKNOWN_SYSTEM_VARIABLE,
      ErrorCode.ER_MALFORMED_PACKET,
      99_999,
    ]
  ) assertEquals(sqlStateFor(code), "HY000");
});

Deno.test("ProtocolError carries code, SQLSTATE and cause", () => {
  const cause = new RangeError("why");
  const error = new ProtocolError(ErrorCode.ER_HANDSHAKE, "Bad", { cause });
  assertEquals([error.code, error.sqlState, error.name], [
    1043,
    "08S01",
    "ProtocolError",
  ]);
  assertEquals(error.cause, cause);
});
