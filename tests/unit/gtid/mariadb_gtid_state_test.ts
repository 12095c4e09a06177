import { assert, assertEquals, assertThrows } from "@std/assert";
import { MalformedGtidSetError } from "../../../lib/gtid/gtid_set.ts";
import { parseMariadbGtid } from "../../../lib/gtid/mariadb_gtid.ts";
import {
  formatMariadbGtidPosition,
  parseMariadbGtidPosition,
} from "../../../lib/gtid/mariadb_gtid_position.ts";
import { MariadbGtidState } from "../../../lib/gtid/mariadb_gtid_state.ts";
import { byteTable, hex } from "../../support/byte_table.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

const TEXT = "0-1-7,0-2-9,3-8001-1,3-77-2";

/** Two domains, in the order of a real server's Gtid_list. */
const BYTES = byteTable(`
  03000000 41 1f0000 0100000000000000   // 3-8001-1
  03000000 4d000000  0200000000000000   // 3-77-2
  00000000 411f0000  e903000000000000   // 0-8001-1001
`);

Deno.test("MariadbGtidState keeps the last sequence of each server, and who was last", () => {
  const state = MariadbGtidState.parse(TEXT);
  assertEquals(state.toString(), TEXT);
  assertEquals(state.size, 4);
  assertEquals(state.isEmpty, false);
  assertEquals(formatMariadbGtidPosition(state.position()), "0-2-9,3-77-2");
  state.add(parseMariadbGtid("0-1-10"));
  assertEquals(state.toString(), "0-2-9,0-1-10,3-8001-1,3-77-2");
  assertEquals(state.lastOf(0), { domain: 0, server: 1, sequence: 10n });
  assertEquals(state.lastOf(1), undefined);
  assertEquals(state.sequenceOf(3, 8001), 1n);
  assertEquals(state.domains(), [0, 3]);
  state.addParts(1, 5, 1n);
  assertEquals(
    formatMariadbGtidPosition(state.position()),
    "0-1-10,1-5-1,3-77-2",
  );
});

Deno.test("MariadbGtidState.has() is about one server in one domain", () => {
  const state = MariadbGtidState.parse(TEXT);
  const has = (text: string): boolean => state.has(parseMariadbGtid(text));
  assert(has("0-1-7") && has("0-1-1") && has("0-2-9") && has("3-8001-1"));
  assert(!has("0-1-8") && !has("0-3-1") && !has("1-1-1") && !has("3-8001-2"));
});

Deno.test("MariadbGtidState takes a sequence that goes back, as MariaDB does", () => {
  const state = MariadbGtidState.parse("0-1-100");
  state.add(parseMariadbGtid("0-1-5"));
  assertEquals(state.toString(), "0-1-5");
  assertEquals(state.has(parseMariadbGtid("0-1-6")), false);
});

Deno.test("MariadbGtidState decodes and encodes the entries of a Gtid_list", () => {
  const state = MariadbGtidState.decode(BYTES);
  assertEquals(state.toString(), "0-8001-1001,3-8001-1,3-77-2");
  assertEquals(hex(state.encode()), hex(BYTES));
  assertEquals(
    state.entries().map(({ domain, server }) => `${domain}-${server}`),
    ["3-8001", "3-77", "0-8001"],
  );
  assertEquals(MariadbGtidState.decode(new Uint8Array()).isEmpty, true);
  assertEquals(new MariadbGtidState().encode().length, 0);
  const max = MariadbGtidState.parse(
    "4294967295-4294967295-18446744073709551615",
  );
  assertEquals(hex(max.encode()), "ff".repeat(16));
  assert(MariadbGtidState.decode(max.encode()).equals(max));
});

Deno.test("MariadbGtidState.decode() throws for entries cut at any length", () => {
  for (let length = 0; length < BYTES.length; length++) {
    if (length % 16 === 0) continue;
    const error = assertThrows(
      () => MariadbGtidState.decode(BYTES.subarray(0, length)),
      MalformedGtidSetError,
    );
    assertEquals(error.offset, length - length % 16);
  }
});

Deno.test("MariadbGtidState.clone() changes by itself", () => {
  const state = MariadbGtidState.parse(TEXT);
  const copy = state.clone();
  copy.add(parseMariadbGtid("0-1-8"));
  assertEquals(state.toString(), TEXT);
  assertEquals(copy.equals(state), false);
  assertEquals(state.clone().equals(state), true);
  assertEquals(new MariadbGtidState().equals(state), false);
});

Deno.test("MariadbGtidState.equals() tells who wrote last, in any order of domains", () => {
  const equal = (a: string, b: string): boolean =>
    MariadbGtidState.parse(a).equals(MariadbGtidState.parse(b));
  assert(equal("0-1-1,1-1-1", "1-1-1,0-1-1"));
  assert(!equal("0-1-1,0-2-2", "0-2-2,0-1-1"));
  assert(!equal("0-1-1", "0-1-2"));
  assert(!equal("0-1-1,0-2-2", "0-3-1,0-2-2"));
  assert(!equal("0-1-1", "1-1-1"));
});

Deno.test("MariadbGtidState.missing() names what another state has more", () => {
  const state = MariadbGtidState.parse("0-1-5,1-1-1");
  const other = MariadbGtidState.parse("0-1-4,0-2-6,1-1-1");
  assertEquals(formatMariadbGtidPosition(state.missing(other)), "0-2-6");
  assertEquals(state.contains(other), false);
  assertEquals(state.contains(MariadbGtidState.parse("0-1-5")), true);
});

Deno.test("MariadbGtidState.isBefore() finds the file a replica begins in", () => {
  const isBefore = (state: string, position: string): boolean =>
    MariadbGtidState.parse(state).isBefore(parseMariadbGtidPosition(position));
  assert(isBefore("", "") && isBefore("", "0-1-5"));
  assert(isBefore("0-1-5", "0-1-5") && isBefore("0-1-5", "0-1-6"));
  assert(!isBefore("0-1-5", "0-1-4"));
  // Another server has written since: what it wrote is needed.
  assert(!isBefore("0-1-5,0-2-6", "0-1-5"));
  assert(isBefore("0-2-6,0-1-5", "0-1-5"));
  // The replica's newest one comes after the file's begin.
  assert(isBefore("0-1-5", "0-2-6"));
  // All of the domain is needed.
  assert(!isBefore("0-1-5,1-1-1", "0-1-5"));
  assert(isBefore("0-1-5", "0-1-5,1-1-1"));
});

Deno.test("MariadbGtidState.parse() rejects what is no state", () => {
  for (const bad of [",", "0-1", "0-1-1,", "0-1-1 0-1-2"]) {
    assertThrows(() => MariadbGtidState.parse(bad), SyntaxError);
  }
  assertEquals(MariadbGtidState.parse(" ").isEmpty, true);
});

Deno.test("MariadbGtidState is the same added piece by piece or at once", () => {
  const random = new SeededRandom(7);
  for (let round = 0; round < 200; round++) {
    const all = new MariadbGtidState();
    const first = new MariadbGtidState();
    const second = new MariadbGtidState();
    const cut = random.integer(0, 30);
    for (let i = 0; i < 30; i++) {
      const gtid = {
        domain: random.integer(0, 2),
        server: random.integer(1, 3),
        sequence: BigInt(random.integer(0, 50)),
      };
      all.add(gtid);
      (i < cut ? first : second).add(gtid);
    }
    first.addState(second);
    assert(first.equals(all), `round ${round}`);
    assert(MariadbGtidState.decode(all.encode()).equals(all));
    assert(MariadbGtidState.parse(all.toString()).equals(all));
    assert(MariadbGtidState.of(all.entries()).equals(all));
  }
});
