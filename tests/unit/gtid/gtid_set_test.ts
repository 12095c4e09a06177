import { assert, assertEquals, assertThrows } from "@std/assert";
import { GtidSet, MalformedGtidSetError } from "../../../lib/gtid/gtid_set.ts";
import { GNO_MAX, parseGtid } from "../../../lib/gtid/gtid.ts";
import { byteTable, hex } from "../../support/byte_table.ts";

const A = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
const D = "d63952fd-e6f6-11f1-a979-02fc00000001";

// As captured from a MySQL 9.7 replica: `uuid:1-4`.
const UNTAGGED = byteTable(`
  0100000000000000                  // entries
  d63952fde6f611f1a97902fc00000001  // UUID
  0100000000000000                  // intervals
  0100000000000000                  // first
  0500000000000000                  // one past the last
`);

// As captured from MySQL 9.7: `uuid:1-6:a_second_tag:1:mytag:1-2`.
const TAGGED = byteTable(`
  01 030000000000 01                // format, entries, format
  d63952fde6f611f1a97902fc00000001
  00                                // no tag
  0100000000000000
  0100000000000000 0700000000000000
  d63952fde6f611f1a97902fc00000001
  18 "a_second_tag"                 // 12 characters
  0100000000000000
  0100000000000000 0200000000000000
  d63952fde6f611f1a97902fc00000001
  0a "mytag"
  0100000000000000
  0100000000000000 0300000000000000
`);
const TAGGED_TEXT = `${D}:1-6:a_second_tag:1:mytag:1-2`;

Deno.test("GtidSet.toLines() puts each server on a line of its own", () => {
  const set = GtidSet.parse(`${D}:1-5:tag:1,${A}:1:3`);
  assertEquals(set.toLines(), `${A}:1:3,\n${D}:1-5:tag:1`);
  assert(GtidSet.parse(set.toLines()).equals(set));
  assertEquals(new GtidSet().toLines(), "");
});

Deno.test("GtidSet.parse() reads what toString() writes", () => {
  const texts = [
    "",
    `${D}:1`,
    `${D}:1-5:7`,
    `${D}:1-9223372036854775806`,
    `${A}:5:7:green:1000000,${D}:1-33:a_very_long_tag_name_0123456789a:1:blue:1-2`,
    `${A}:tag:3-4,${D}:1`,
    TAGGED_TEXT,
  ];
  for (const text of texts) assertEquals(GtidSet.parse(text).toString(), text);
});

Deno.test("GtidSet.parse() brings any spelling into canonical form", () => {
  const cases: [string, string][] = [
    [" \n\t ", ""],
    [",,", ""],
    [`${D.toUpperCase()}:1-3:Blue:7`, `${D}:1-3:blue:7`],
    [` ${D} : 1 - 5 : 7 ,\n ${A} : 1 ,`, `${A}:1,${D}:1-5:7`],
    [`${D}:1-5,${D}:6-9`, `${D}:1-9`],
    [`${D}:7:1-5:6`, `${D}:1-7`],
    [`${D}:3-9:1-5`, `${D}:1-9`],
    [`${D}:b:1:a:2:b:2`, `${D}:a:2:b:1-2`],
    [`${D}:tag:1,${D}:9`, `${D}:9:tag:1`],
    [`${D}:0001-0002`, `${D}:1-2`],
  ];
  for (const [text, canonical] of cases) {
    assertEquals(GtidSet.parse(text).toString(), canonical, text);
  }
});

Deno.test("GtidSet.parse() rejects everything else", () => {
  const bad = [
    "x",
    D,
    `${D}:`,
    `${D}:tag`,
    `${D}:a:b:1`,
    `${D}:1:tag`,
    `${D}:0`,
    `${D}:0-5`,
    `${D}:5-3`,
    `${D}:1-`,
    `${D}:-5`,
    `${D}:1--5`,
    `${D}:1 5`,
    `${D}:1;2`,
    `${D}:1-9223372036854775807`,
    `${D}:1,oops`,
    `${D} ${A}:1`,
    `${D}:9tag:1`,
    `${D}:${"a".repeat(33)}:1`,
    "0-1-100", // A MariaDB GTID.
  ];
  for (const text of bad) {
    assertThrows(
      () => GtidSet.parse(text),
      SyntaxError,
      "Cannot parse GTID set",
    );
  }
});

Deno.test("GtidSet.decode() and encode() agree with captured bytes", () => {
  assertEquals(GtidSet.decode(UNTAGGED).toString(), `${D}:1-4`);
  assertEquals(hex(GtidSet.parse(`${D}:1-4`).encode()), hex(UNTAGGED));
  assertEquals(GtidSet.decode(TAGGED).toString(), TAGGED_TEXT);
  assertEquals(hex(GtidSet.parse(TAGGED_TEXT).encode()), hex(TAGGED));
});

Deno.test("GtidSet.decode() reads both forms of the empty set", () => {
  assert(GtidSet.decode(new Uint8Array(8)).isEmpty);
  assert(GtidSet.decode(byteTable("01 000000000000 01")).isEmpty);
});

Deno.test("GtidSet.decode() reads entries without intervals as nothing", () => {
  const set = GtidSet.decode(byteTable(`
    0100000000000000
    d63952fde6f611f1a97902fc00000001
    0000000000000000
  `));
  assert(set.isEmpty);
  assertEquals(set.uuids(), []);
});

Deno.test("GtidSet.decode() joins entries of one UUID", () => {
  const set = GtidSet.decode(byteTable(`
    0200000000000000
    d63952fde6f611f1a97902fc00000001
    0100000000000000
    0500000000000000 0900000000000000
    d63952fde6f611f1a97902fc00000001
    0100000000000000
    0100000000000000 0500000000000000
  `));
  assertEquals(set.toString(), `${D}:1-8`);
});

Deno.test("GtidSet.decode() throws for a set cut at any length or too long", () => {
  for (const bytes of [UNTAGGED, TAGGED]) {
    for (let length = 0; length < bytes.length; length++) {
      assertThrows(
        () => GtidSet.decode(bytes.subarray(0, length)),
        MalformedGtidSetError,
      );
    }
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    const error = assertThrows(
      () => GtidSet.decode(longer),
      MalformedGtidSetError,
      "1 bytes left",
    );
    assertEquals(error.offset, bytes.length);
  }
});

Deno.test("GtidSet.decode() refuses what MySQL refuses", () => {
  const uuid = "d63952fde6f611f1a97902fc00000001";
  const bad: [string, string][] = [
    ["starts at 0", "0000000000000000 0500000000000000"],
    ["is empty", "0500000000000000 0500000000000000"],
    ["ends before it begins", "0500000000000000 0400000000000000"],
    ["is negative", "ffffffffffffffff 0500000000000000"],
    ["ends beyond 2^63", "0100000000000000 0000000000000080"],
  ];
  for (const [what, interval] of bad) {
    assertThrows(
      () =>
        GtidSet.decode(byteTable(
          `0100000000000000 ${uuid} 0100000000000000 ${interval}`,
        )),
      MalformedGtidSetError,
      "interval",
      what,
    );
  }
  const pairs = [
    "0100000000000000 0500000000000000 0500000000000000 0600000000000000", // Touch.
    "0700000000000000 0800000000000000 0100000000000000 0200000000000000", // Not sorted.
    "0100000000000000 0500000000000000 0300000000000000 0900000000000000", // Overlap.
  ];
  for (const pair of pairs) {
    assertThrows(
      () =>
        GtidSet.decode(
          byteTable(`0100000000000000 ${uuid} 0200000000000000 ${pair}`),
        ),
      MalformedGtidSetError,
    );
  }
});

Deno.test("GtidSet.decode() refuses unknown formats, tags and counts", () => {
  const entry = "d63952fde6f611f1a97902fc00000001";
  const bad = [
    "0200000000000002", // The compact form of later servers.
    "ffffffffffffffff",
    "ffffffffffffff00", // 2^56 entries.
    `0100000000000000 ${entry} ffffffffffffffff`, // 2^64 intervals.
    `01 010000000000 01 ${entry} 42 ${"61".repeat(33)} 0000000000000000`,
    `01 010000000000 01 ${entry} 05 02 ${"61".repeat(33)} 0000000000000000`,
    `01 010000000000 01 ${entry} 01`, // Tag length cut short.
    `01 010000000000 01 ${entry} ff ffffffffffffffff 0000000000000000`,
    `01 010000000000 01 ${entry} 02 "9" 0000000000000000`,
    `01 010000000000 01 ${entry} 02 c3 0000000000000000`,
    `01 010000000000 01 ${entry} 04 "a-" 0000000000000000`,
  ];
  for (const table of bad) {
    assertThrows(() => GtidSet.decode(byteTable(table)), MalformedGtidSetError);
  }
});

Deno.test("GtidSet.decode() reads what MySQL reads and never writes", () => {
  const entry = "d63952fde6f611f1a97902fc00000001";
  const interval = "0100000000000000 0100000000000000 0200000000000000";
  const read = [
    `00 010000000000 01 ${entry} 06 "tag" ${interval}`, // Format at one end only.
    `07 010000000000 01 ${entry} 06 "tag" ${interval}`,
    `01 010000000000 01 ${entry} 0d 00 "tag" ${interval}`, // Two bytes of length.
    `01 010000000000 01 ${entry} 7f 03 00 00 00 00 00 00 "tag" ${interval}`,
    `01 010000000000 01 ${entry} ff 03 00 00 00 00 00 00 00 "tag" ${interval}`,
  ];
  for (const table of read) {
    assertEquals(GtidSet.decode(byteTable(table)).toString(), `${D}:tag:1`);
  }
});

Deno.test("GtidSet.decode() reads a view into a larger buffer", () => {
  const larger = new Uint8Array(TAGGED.length + 10).fill(0xff);
  larger.set(TAGGED, 5);
  assertEquals(
    GtidSet.decode(larger.subarray(5, 5 + TAGGED.length)).toString(),
    TAGGED_TEXT,
  );
});

Deno.test("encode() writes the tagged form of a set without tags when asked", () => {
  const set = GtidSet.parse(`${D}:1-4`);
  const bytes = set.encode({ tagged: true });
  assertEquals(
    hex(bytes),
    "01010000000000" + "01" + "d63952fde6f611f1a97902fc00000001" + "00" +
      "0100000000000000" + "0100000000000000" + "0500000000000000",
  );
  assert(GtidSet.decode(bytes).equals(set));
  assertEquals(hex(new GtidSet().encode()), "0000000000000000");
  assertEquals(
    hex(new GtidSet().encode({ tagged: true })),
    "0100000000000001",
  );
});

Deno.test("encode() throws when tags would be lost", () => {
  const set = GtidSet.parse(`${D}:tag:1`);
  assertThrows(() => set.encode({ tagged: false }), RangeError);
});

Deno.test("encode() writes the largest number", () => {
  const set = GtidSet.parse(`${D}:${GNO_MAX}`);
  assertEquals(
    hex(set.encode()).slice(-32),
    "feffffffffffff7f" + "ffffffffffffff7f",
  );
  assert(GtidSet.decode(set.encode()).equals(set));
});

Deno.test("add() joins numbers in any order into intervals", () => {
  const set = new GtidSet();
  for (const gno of [5n, 1n, 3n, 2n, 9n, 4n, 4n, 8n]) set.add(D, "", gno);
  assertEquals(set.toString(), `${D}:1-5:8-9`);
  assertEquals(set.count(), 7n);
});

Deno.test("add() counts up across 2^53", () => {
  const set = new GtidSet();
  const start = 2n ** 53n - 4n;
  for (let i = 0n; i < 8n; i++) set.add(D, "", start + i);
  assertEquals(set.toString(), `${D}:${start}-${start + 7n}`);
  // Beyond 2^53 a plain number cannot tell these two apart.
  set.add(D, "", 2n ** 53n + 5n);
  set.add(D, "", 2n ** 53n + 5n);
  assertEquals(
    set.toString(),
    `${D}:${start}-${start + 7n}:${2n ** 53n + 5n}`,
  );
});

Deno.test("add() and addInterval() refuse what is not canonical", () => {
  const set = new GtidSet();
  assertThrows(() => set.add(D.toUpperCase(), "", 1n), RangeError);
  assertThrows(() => set.add("", "", 1n), RangeError);
  assertThrows(() => set.add(D, "Tag", 1n), RangeError);
  assertThrows(() => set.add(D, "", 0n), RangeError);
  assertThrows(() => set.add(D, "", GNO_MAX + 1n), RangeError);
  assertThrows(() => set.addInterval(D, "", 5n, 4n), RangeError);
  assert(set.isEmpty);
  set.addInterval(D, "", GNO_MAX, GNO_MAX);
  assertThrows(() => set.add(D, "", GNO_MAX + 1n), RangeError);
  assertThrows(() => set.add(D, "", 0n), RangeError);
  assertEquals(set.count(), 1n);
});

Deno.test("has() is false for gaps, other tags and other UUIDs", () => {
  const set = GtidSet.parse(`${D}:1-5:8:tag:6`);
  for (const gno of [1n, 3n, 5n, 8n]) assert(set.has(D, "", gno));
  for (const gno of [0n, 6n, 7n, 9n]) assert(!set.has(D, "", gno));
  assert(set.has(D, "tag", 6n));
  assert(!set.has(D, "tag", 1n));
  assert(!set.has(D, "tag2", 6n));
  assert(!set.has(A, "", 1n));
  assert(set.hasGtid(parseGtid(`${D}:tag:6`)));
  assert(!set.hasGtid(parseGtid(`${D}:tag:7`)));
});

Deno.test("clone() shares nothing with the original", () => {
  const set = GtidSet.parse(`${D}:1-5:tag:1`);
  const copy = set.clone();
  copy.add(D, "", 6n);
  copy.add(D, "tag", 2n);
  set.add(A, "", 1n);
  assertEquals(set.toString(), `${A}:1,${D}:1-5:tag:1`);
  assertEquals(copy.toString(), `${D}:1-6:tag:1-2`);
});

Deno.test("addSet() shares nothing with the set added", () => {
  const other = GtidSet.parse(`${D}:1-5`);
  const set = new GtidSet();
  set.addSet(other);
  set.add(D, "", 6n);
  assertEquals(other.toString(), `${D}:1-5`);
});

Deno.test("addSet() and removeSet() take the set itself", () => {
  const set = GtidSet.parse(`${D}:1-5:tag:1`);
  set.addSet(set);
  assertEquals(set.toString(), `${D}:1-5:tag:1`);
  set.removeSet(set);
  assert(set.isEmpty);
  set.add(D, "", 7n);
  assertEquals(set.toString(), `${D}:7`);
});

Deno.test("removeSet() leaves no empty entries, and add() works after it", () => {
  const set = GtidSet.parse(`${D}:1-5:tag:1`);
  set.add(D, "tag", 2n); // The list used last is about to go.
  set.removeSet(GtidSet.parse(`${D}:tag:1-9`));
  assertEquals(set.hasTags, false);
  set.add(D, "tag", 3n);
  assertEquals(set.toString(), `${D}:1-5:tag:3`);
  set.removeSet(GtidSet.parse(`${D}:1-9:tag:1-9`));
  assertEquals(set.isEmpty, true);
  assertEquals(set.uuids(), []);
});

Deno.test("removeSet() splits intervals", () => {
  const set = GtidSet.parse(`${D}:1-100`);
  set.removeSet(GtidSet.parse(`${D}:1:10-20:50:99-200,${A}:1`));
  assertEquals(set.toString(), `${D}:2-9:21-49:51-98`);
});

Deno.test("containsSet() is false for a gap", () => {
  const set = GtidSet.parse(`${D}:1-5:7-9:tag:1`);
  for (const within of ["", `${D}:2-4`, `${D}:7:9:tag:1`, set.toString()]) {
    assert(set.containsSet(GtidSet.parse(within)), within);
  }
  for (
    const not of [`${D}:5-7`, `${D}:6`, `${D}:tag:2`, `${A}:1`, `${D}:1:x:1`]
  ) {
    assert(!set.containsSet(GtidSet.parse(not)), not);
  }
  assert(new GtidSet().containsSet(new GtidSet()));
});

Deno.test("intersects() is true only for a common GTID", () => {
  const set = GtidSet.parse(`${D}:1-5:7-9:20:tag:1`);
  for (const yes of [`${D}:5-7`, `${D}:9-12`, `${D}:tag:1-4`, `${D}:6:20`]) {
    assert(set.intersects(GtidSet.parse(yes)), yes);
    assert(GtidSet.parse(yes).intersects(set), yes);
  }
  for (const no of ["", `${D}:6`, `${D}:10-19`, `${D}:tag:2`, `${A}:1-9`]) {
    assert(!set.intersects(GtidSet.parse(no)), no);
    assert(!GtidSet.parse(no).intersects(set), no);
  }
});

Deno.test("restrictedTo() keeps one UUID with all its tags", () => {
  const set = GtidSet.parse(`${A}:1:t:2,${D}:3:u:4`);
  const restricted = set.restrictedTo(A);
  assertEquals(restricted.toString(), `${A}:1:t:2`);
  restricted.add(A, "t", 3n);
  assertEquals(set.toString(), `${A}:1:t:2,${D}:3:u:4`);
  assert(set.restrictedTo("no such uuid").isEmpty);
});

Deno.test("hasTags tells tagged sets from others", () => {
  assertEquals(new GtidSet().hasTags, false);
  assertEquals(GtidSet.parse(`${D}:1,${A}:1`).hasTags, false);
  assertEquals(GtidSet.parse(`${D}:1,${A}:t:1`).hasTags, true);
  assertEquals(GtidSet.parse(`${D}:1:t:1`).hasTags, true);
});

Deno.test("intervals() yields uuid, tag and numbers in order", () => {
  const set = GtidSet.parse(`${D}:1-5:7:b:1:_a:2,${A}:9`);
  assertEquals([...set.intervals()], [
    { uuid: A, tag: "", first: 9n, last: 9n },
    { uuid: D, tag: "", first: 1n, last: 5n },
    { uuid: D, tag: "", first: 7n, last: 7n },
    { uuid: D, tag: "_a", first: 2n, last: 2n },
    { uuid: D, tag: "b", first: 1n, last: 1n },
  ]);
  assertEquals(set.uuids(), [A, D]);
});
