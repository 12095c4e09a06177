import { assertEquals, assertThrows } from "@std/assert";
import {
  formatMariadbGtid,
  parseMariadbGtid,
  SEQUENCE_MAX,
} from "../../../lib/gtid/mariadb_gtid.ts";
import {
  DuplicateGtidDomainError,
  formatMariadbGtidPosition,
  parseMariadbGtidPosition,
} from "../../../lib/gtid/mariadb_gtid_position.ts";

Deno.test("parseMariadbGtid() reads what formatMariadbGtid() writes", () => {
  assertEquals(parseMariadbGtid(" 3-77-2\n"), {
    domain: 3,
    server: 77,
    sequence: 2n,
  });
  for (
    const text of ["0-1-0", `4294967295-4294967295-${SEQUENCE_MAX}`, "0-1-9"]
  ) assertEquals(formatMariadbGtid(parseMariadbGtid(text)), text);
});

Deno.test("parseMariadbGtid() rejects everything else", () => {
  const bad = [
    "",
    "0",
    "0-1",
    "0-1-",
    "0--1",
    "0-1-2-3",
    "0-1-x",
    "0-1-+2",
    "0 -1-2",
    "4294967296-1-1",
    "1-4294967296-1",
    "0-1-18446744073709551616",
    `0-1-${"9".repeat(5000)}`,
    "0-1-1,0-1-2",
    "d63952fd-e6f6-11f1-a979-02fc00000001:1",
  ];
  for (const text of bad) {
    assertThrows(() => parseMariadbGtid(text), SyntaxError);
  }
});

Deno.test("parseMariadbGtidPosition() reads one GTID a domain, in the order given", () => {
  assertEquals(parseMariadbGtidPosition(""), []);
  assertEquals(parseMariadbGtidPosition(" \n"), []);
  const text = "1-2-7,0-1-5";
  const position = parseMariadbGtidPosition(" 1-2-7 , 0-1-5 ");
  assertEquals(formatMariadbGtidPosition(position), text);
  assertEquals(formatMariadbGtidPosition([]), "");
});

Deno.test("parseMariadbGtidPosition() names two GTIDs of one domain", () => {
  const error = assertThrows(
    () => parseMariadbGtidPosition("0-1-5,1-2-7,0-2-6"),
    DuplicateGtidDomainError,
    "GTID 0-1-5 and 0-2-6 conflict (duplicate domain id 0)",
  );
  assertEquals(formatMariadbGtid(error.first), "0-1-5");
  assertEquals(formatMariadbGtid(error.second), "0-2-6");
  for (const bad of [",", "0-1-1,", ",0-1-1", "0-1-1,,1-1-1", "0-1-1 1-1-1"]) {
    assertThrows(() => parseMariadbGtidPosition(bad), SyntaxError);
  }
});
