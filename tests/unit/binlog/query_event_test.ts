import { assert, assertEquals, assertThrows } from "@std/assert";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { MalformedEventError } from "../../../lib/binlog/malformed_event_error.ts";
import {
  decodeQuery,
  QueryKind,
  queryKindAt,
} from "../../../lib/binlog/query_event.ts";
import {
  FIXTURE_SERVERS,
  loadBinlogFixtures,
} from "../../support/binlog_fixture.ts";
import { byteTable } from "../../support/byte_table.ts";
import { queryEvent } from "../../support/made_events.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

const WHOLE = byteTable(`
  b8c4036b 02 e5250000 3c000000 00000000 0800
  0c000000          // thread
  05000000          // seconds
  02                // length of the schema
  2604              // error 1062
  0500              // length of the status variables
  00 00000000       // flags2
  "fx" 00
  "TRUNCATE m1"
  aabbccdd          // checksum
`);
WHOLE[9] = WHOLE.length;

Deno.test("decodeQuery() reads every part", () => {
  assertEquals(decodeQuery(WHOLE, "crc32"), {
    threadId: 12,
    execTimeS: 5,
    errorCode: 1062,
    schema: "fx",
    statement: "TRUNCATE m1",
  });
});

Deno.test("decodeQuery() agrees with the ground truth of every file", () => {
  let seen = 0;
  for (const server of FIXTURE_SERVERS) {
    for (const { events, algorithm } of loadBinlogFixtures(server)) {
      for (const { type, bytes, truth } of events) {
        if (type !== EventType.QUERY) continue;
        const query = decodeQuery(bytes, algorithm);
        assertEquals(query.statement, truth.query);
        assertEquals(query.schema, truth.db);
        seen++;
      }
    }
  }
  assert(seen > 80);
});

Deno.test("decodeQuery() replaces bytes that are not UTF-8", () => {
  const event = WHOLE.slice();
  event[40] = 0xff;
  assertEquals(decodeQuery(event, "crc32").statement[0], "\ufffd");
});

Deno.test("queryKindAt() knows the statements that begin and end transactions", () => {
  const cases: [string, QueryKind][] = [
    ["BEGIN", QueryKind.BEGIN],
    ["COMMIT", QueryKind.COMMIT],
    ["ROLLBACK", QueryKind.ROLLBACK],
    ["rollback", QueryKind.ROLLBACK],
    ["ROLLBACK /* added by mysqlbinlog */", QueryKind.ROLLBACK],
    ["ROLLBACK TO", QueryKind.ROLLBACK],
    ["ROLLBACK TO `a`", QueryKind.OTHER],
    ["RollBack To `a`", QueryKind.OTHER],
    ["XA START X'7831',X'',1", QueryKind.XA_START],
    ["XA START", QueryKind.XA_START],
    ["XA ROLLBACK X'7831',X'',1", QueryKind.XA_ROLLBACK],
    ["xa rollback 'x'", QueryKind.XA_ROLLBACK],
    // The server itself writes BEGIN, COMMIT and XA START, always like this.
    ["begin", QueryKind.OTHER],
    ["BEGIN ", QueryKind.OTHER],
    ["BEGI", QueryKind.OTHER],
    ["BEGINS", QueryKind.OTHER],
    ["commit", QueryKind.OTHER],
    ["COMMIT ", QueryKind.OTHER],
    ["COMMI", QueryKind.OTHER],
    ["xa start 'x'", QueryKind.OTHER],
    ["XA END X'7831',X'',1", QueryKind.OTHER],
    ["XA COMMIT X'7831',X'',1", QueryKind.OTHER],
    ["XA COMMIT X'7831',X'',1 ONE PHASE", QueryKind.OTHER],
    ["XA ROLLBAC", QueryKind.OTHER],
    ["ROLLBAC", QueryKind.OTHER],
    [" ROLLBACK", QueryKind.OTHER],
    ["REPLACE INTO t VALUES (1)", QueryKind.OTHER],
    ["CREATE TABLE t (a INT)", QueryKind.OTHER],
    ["SAVEPOINT `a`", QueryKind.OTHER],
    ["x", QueryKind.OTHER],
    ["", QueryKind.EMPTY],
  ];
  for (const [statement, kind] of cases) {
    for (const trailerBytes of [0, 4]) {
      const event = queryEvent(statement, { trailerBytes });
      const bytes = new Uint8Array(event.length + 20).fill(0x41);
      bytes.set(event, 13);
      assertEquals(
        queryKindAt(bytes, 13, event.length, trailerBytes),
        kind,
        statement,
      );
    }
  }
});

Deno.test("queryKindAt() finds the statement behind status variables and schema", () => {
  for (const schema of ["", "fx", "s".repeat(255)]) {
    for (const statusBytes of [0, 26, 70_000 % 65_536, 65_535]) {
      const event = queryEvent("COMMIT", { schema, statusBytes });
      assertEquals(queryKindAt(event, 0, event.length, 4), QueryKind.COMMIT);
    }
  }
});

Deno.test("decodeQuery() and queryKindAt() throw for an event cut at any length", () => {
  for (let length = 0; length < WHOLE.length; length++) {
    const cut = WHOLE.slice(0, length);
    assertThrows(() => decodeQuery(cut, "crc32"), MalformedEventError);
    assertThrows(
      () => queryKindAt(cut, 0, WHOLE.length, 4),
      MalformedEventError,
    );
    // With a size that agrees, up to the NUL after the schema.
    if (length < 19 + 13 + 5 + 2 + 1 + 4) {
      assertThrows(() => queryKindAt(cut, 0, length, 4), MalformedEventError);
      if (length >= 13) {
        cut[9] = length;
        assertThrows(() => decodeQuery(cut, "crc32"), MalformedEventError);
      }
    }
  }
});

Deno.test("queryKindAt() answers damaged bytes with a kind or MalformedEventError", () => {
  const random = new SeededRandom(3);
  for (let i = 0; i < 5000; i++) {
    const event = WHOLE.slice();
    for (let n = random.integer(1, 3); n > 0; n--) {
      event[random.integer(19, event.length - 1)] = random.integer(0, 255);
    }
    let kind: number | undefined;
    try {
      kind = queryKindAt(event, 0, event.length, 4);
    } catch (error) {
      assert(error instanceof MalformedEventError, `round ${i}: ${error}`);
    }
    if (kind === undefined) {
      assertThrows(() => decodeQuery(event, "crc32"), MalformedEventError);
    } else {
      assertEquals(
        decodeQuery(event, "crc32").statement === "",
        kind === QueryKind.EMPTY,
      );
    }
  }
});
