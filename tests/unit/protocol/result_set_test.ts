import { assertEquals, assertThrows } from "@std/assert";
import { Capability } from "../../../lib/protocol/capability.ts";
import { PacketDecoder } from "../../../lib/protocol/packet_decoder.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import {
  encodeEof,
  encodeErr,
  encodeOk,
} from "../../../lib/protocol/response.ts";
import {
  encodeTextResultSet,
  integerColumn,
  type TextAnswer,
  textColumn,
  TextResultSetDecoder,
} from "../../../lib/protocol/result_set.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { byteTable } from "../../support/byte_table.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

const NONE = 0;

// An answer of MySQL 9.7 to `SELECT @@server_id, NULL AS n, '' e`, as captured.
const CAPTURED = byteTable(`
  010000 01 03                              // three columns
  210000 02 03 "def" 00 00 00 0b "@@server_id" 00 0c 3f00 15000000 08 a000 00 0000
  170000 03 03 "def" 00 00 00 01 "n" 00 0c 3f00 00000000 06 8000 00 0000
  170000 04 03 "def" 00 00 00 01 "e" 00 0c 2d00 00000000 fd 0100 1f 0000
  050000 05 fe 0000 0200                    // EOF: the columns end
  070000 06 04 "9701" fb 00                 // a row
  050000 07 fe 0000 0200                    // EOF: the rows end
`);

/** Decodes framed packets, whose sequence ids begin at 1, as one answer. */
function answerOf(bytes: Uint8Array, capabilities: number): TextAnswer {
  const packets = new PacketDecoder({
    maxPayloadBytes: 1 << 26,
    initialSequenceId: 1,
  }).push(bytes);
  const decoder = new TextResultSetDecoder(capabilities);
  packets.forEach(({ payload }, i) => {
    assertEquals(decoder.push(payload), i === packets.length - 1);
  });
  return decoder.answer();
}

Deno.test("TextResultSetDecoder reads what MySQL 9.7 answered", () => {
  const answer = answerOf(CAPTURED, NONE);
  assertEquals(answer.columns, [
    integerColumn("@@server_id"),
    { name: "n", type: 6, charset: 63, length: 0, flags: 0x80, decimals: 0 },
    { name: "e", type: 253, charset: 45, length: 0, flags: 1, decimals: 31 },
  ]);
  assertEquals(answer.rows, [["9701", null, ""]]);
  assertEquals(answer.ok, undefined);
});

Deno.test("encodeTextResultSet() writes what MySQL 9.7 answered", () => {
  const { columns, rows } = answerOf(CAPTURED, NONE);
  assertEquals(encodeTextResultSet({ columns, rows }, NONE, 1), CAPTURED);
});

Deno.test("encodeTextResultSet() writes no EOF where it is deprecated", () => {
  const resultSet = { columns: [integerColumn("a")], rows: [["1"]] };
  assertEquals(
    encodeTextResultSet(resultSet, Capability.DEPRECATE_EOF, 1),
    byteTable(`
      010000 01 01
      170000 02 03 "def" 00 00 00 01 "a" 00 0c 3f00 15000000 08 a000 00 0000
      020000 03 01 "1"
      070000 04 fe 00 00 0200 0000          // OK with EOF's first byte
    `),
  );
});

Deno.test("encodeTextResultSet() is read back the same either way", () => {
  const random = new SeededRandom(11);
  const text = () =>
    random.chance(0.2)
      ? null
      : "ä".repeat(random.integer(0, random.chance(0.1) ? 70_000 : 20));
  for (const capabilities of [NONE, Capability.DEPRECATE_EOF]) {
    for (const width of [1, 2, 300]) {
      const columns = Array.from(
        { length: width },
        (_, i) => textColumn(`c${i}`),
      );
      const rows = Array.from(
        { length: random.integer(0, 5) },
        () => columns.map(text),
      );
      const bytes = encodeTextResultSet({ columns, rows }, capabilities, 1);
      const answer = answerOf(bytes, capabilities);
      assertEquals(answer.columns, columns);
      assertEquals(answer.rows, rows);
    }
  }
});

Deno.test("encodeTextResultSet() splits a row of 16 MiB, which then begins like an EOF", () => {
  const value = "x".repeat(0x1000000);
  const resultSet = { columns: [textColumn("a")], rows: [[value], ["y"]] };
  for (const capabilities of [NONE, Capability.DEPRECATE_EOF]) {
    const bytes = encodeTextResultSet(resultSet, capabilities, 1);
    const { rows } = answerOf(bytes, capabilities);
    assertEquals(rows.length, 2);
    assertEquals(rows[0]![0] === value, true);
  }
});

Deno.test("encodeTextResultSet() refuses a row of another width", () => {
  const resultSet = { columns: [textColumn("a")], rows: [["1", "2"]] };
  assertThrows(() => encodeTextResultSet(resultSet, NONE, 1), RangeError);
});

Deno.test("TextResultSetDecoder takes an OK as an answer without rows", () => {
  const decoder = new TextResultSetDecoder(NONE);
  assertEquals(decoder.push(encodeOk({ affectedRows: 7 })), true);
  const { columns, rows, ok } = decoder.answer();
  assertEquals([columns, rows], [[], []]);
  assertEquals(ok?.affectedRows, 7n);
});

Deno.test("TextResultSetDecoder throws the server's error at any point", () => {
  const packets = new PacketDecoder({
    maxPayloadBytes: 1000,
    initialSequenceId: 1,
  })
    .push(CAPTURED);
  const err = encodeErr({ code: 1317, sqlState: "70100", message: "stopped" });
  for (let count = 0; count < packets.length; count++) {
    const decoder = new TextResultSetDecoder(NONE);
    for (const { payload } of packets.slice(0, count)) decoder.push(payload);
    const error = assertThrows(() => decoder.push(err), ServerError, "stopped");
    assertEquals([error.code, error.sqlState], [1317, "70100"]);
  }
});

Deno.test("TextResultSetDecoder refuses truncated packets", () => {
  const packets = new PacketDecoder({
    maxPayloadBytes: 1000,
    initialSequenceId: 1,
  })
    .push(CAPTURED);
  const whole = packets.map(({ payload }) => payload);
  // Of the EOF packets only the first byte counts.
  for (const index of [0, 1, 2, 3, 5]) {
    for (let length = 0; length < whole[index]!.length; length++) {
      const decoder = new TextResultSetDecoder(NONE);
      for (const payload of whole.slice(0, index)) decoder.push(payload);
      // The two bytes at a column's end are not used.
      const filler = index < 4 && length >= whole[index]!.length - 2;
      if (filler && index > 0) continue;
      assertThrows(
        () => decoder.push(whole[index]!.subarray(0, length)),
        ProtocolError,
      );
    }
  }
});

Deno.test("TextResultSetDecoder refuses what is out of place", () => {
  const row = byteTable(`01 "1"`);
  const column = byteTable(
    `03 "def" 00 00 00 01 "a" 00 0c 3f00 15000000 08 a000 00 0000`,
  );
  const cases: [string, Uint8Array[]][] = [
    ["no EOF packet", [byteTable("01"), column, row]],
    ["bytes follow", [
      byteTable("01"),
      column,
      encodeEof(),
      byteTable("00 00"),
    ]],
    ["local file", [byteTable(`fb "/etc/passwd"`)]],
    ["4097 columns", [byteTable("fc 0110")]],
    ["follows the end", [encodeOk(), encodeOk()]],
  ];
  for (const [message, payloads] of cases) {
    const decoder = new TextResultSetDecoder(NONE);
    assertThrows(
      () => payloads.forEach((payload) => decoder.push(payload)),
      ProtocolError,
      message,
    );
  }
});

Deno.test("TextResultSetDecoder bounds what it keeps", () => {
  const columns = [textColumn("a")];
  const row = ["x".repeat(99)]; // 100 bytes with its length
  const bytes = encodeTextResultSet(
    { columns, rows: [row, row, row] },
    NONE,
    1,
  );
  const payloads = new PacketDecoder({
    maxPayloadBytes: 1000,
    initialSequenceId: 1,
  })
    .push(bytes).map((packet) => packet.payload);
  const enough = new TextResultSetDecoder(NONE, 300);
  payloads.forEach((payload) => enough.push(payload));
  assertEquals(enough.answer().rows.length, 3);
  const short = new TextResultSetDecoder(NONE, 299);
  assertThrows(
    () => payloads.forEach((payload) => short.push(payload)),
    ProtocolError,
    "bigger than 299 bytes",
  );
});

Deno.test("TextResultSetDecoder.answer() waits for the end", () => {
  assertThrows(() => new TextResultSetDecoder(NONE).answer(), TypeError);
});
