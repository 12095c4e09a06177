import { assert, assertEquals, assertThrows } from "@std/assert";
import { EventFlag, EventType } from "../../../lib/binlog/event_type.ts";
import { MalformedEventError } from "../../../lib/binlog/malformed_event_error.ts";
import {
  BoundaryStep,
  TransactionBoundary,
  TransactionBoundaryError,
} from "../../../lib/binlog/transaction_boundary.ts";
import { bareEvent, queryEvent } from "../../support/made_events.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

const { INSIDE, ENDS, OUTSIDE } = BoundaryStep;

function mariadbGtid(flags: number): Uint8Array {
  const body = new Uint8Array(19);
  body[12] = flags;
  return bareEvent(EventType.MARIADB_GTID, { body });
}

const EVENTS = {
  format: bareEvent(EventType.FORMAT_DESCRIPTION),
  previous: bareEvent(EventType.PREVIOUS_GTIDS, { flags: EventFlag.IGNORABLE }),
  rotate: bareEvent(EventType.ROTATE),
  stop: bareEvent(EventType.STOP),
  heartbeat: bareEvent(EventType.HEARTBEAT),
  heartbeat2: bareEvent(EventType.HEARTBEAT_V2),
  context: bareEvent(EventType.TRANSACTION_CONTEXT),
  gtid: bareEvent(EventType.GTID),
  anonymous: bareEvent(EventType.ANONYMOUS_GTID),
  tagged: bareEvent(EventType.GTID_TAGGED),
  begin: queryEvent("BEGIN"),
  xaStart: queryEvent("XA START X'7831',X'',1"),
  xaEnd: queryEvent("XA END X'7831',X'',1"),
  xaPrepare: bareEvent(EventType.XA_PREPARE),
  xaCommit: queryEvent("XA COMMIT X'7831',X'',1"),
  xaRollback: queryEvent("XA ROLLBACK X'7831',X'',1"),
  ddl: queryEvent("CREATE TABLE t (a INT)"),
  statement: queryEvent("INSERT INTO t VALUES (1)"),
  savepoint: queryEvent("SAVEPOINT `a`"),
  rollbackTo: queryEvent("ROLLBACK TO `a`"),
  commit: queryEvent("COMMIT"),
  rollback: queryEvent("ROLLBACK"),
  empty: queryEvent(""),
  xid: bareEvent(EventType.XID),
  intvar: bareEvent(EventType.INTVAR),
  rand: bareEvent(EventType.RAND),
  userVar: bareEvent(EventType.USER_VAR),
  rowsQuery: bareEvent(EventType.ROWS_QUERY, { flags: EventFlag.IGNORABLE }),
  tableMap: bareEvent(EventType.TABLE_MAP),
  write: bareEvent(EventType.WRITE_ROWS),
  update: bareEvent(EventType.UPDATE_ROWS),
  remove: bareEvent(EventType.DELETE_ROWS),
  writeV1: bareEvent(EventType.WRITE_ROWS_V1),
  partial: bareEvent(EventType.PARTIAL_UPDATE_ROWS),
  beginLoad: bareEvent(EventType.BEGIN_LOAD_QUERY),
  append: bareEvent(EventType.APPEND_BLOCK),
  executeLoad: bareEvent(EventType.EXECUTE_LOAD_QUERY),
  viewChange: bareEvent(EventType.VIEW_CHANGE),
  payload: bareEvent(EventType.TRANSACTION_PAYLOAD),
  incident: bareEvent(EventType.INCIDENT),
  ignorable: bareEvent(77, {
    flags: EventFlag.IGNORABLE | EventFlag.NO_FILTER,
  }),
  unknown: bareEvent(77, { flags: EventFlag.NO_FILTER }),
  mariadbGtid: mariadbGtid(0x0c),
  mariadbStandalone: mariadbGtid(0x09),
  mariadbShort: bareEvent(EventType.MARIADB_GTID, {
    body: new Uint8Array(12),
    trailerBytes: 0,
  }),
  annotate: bareEvent(EventType.MARIADB_ANNOTATE_ROWS),
  gtidList: bareEvent(EventType.MARIADB_GTID_LIST),
  checkpoint: bareEvent(EventType.MARIADB_BINLOG_CHECKPOINT),
  encryption: bareEvent(EventType.MARIADB_START_ENCRYPTION),
  queryCompressed: bareEvent(EventType.MARIADB_QUERY_COMPRESSED),
  writeCompressed: bareEvent(EventType.MARIADB_WRITE_ROWS_COMPRESSED_V1),
} as const;
type EventName = keyof typeof EVENTS;

function step(boundary: TransactionBoundary, name: EventName): BoundaryStep {
  const event = EVENTS[name];
  return boundary.step(event[4]!, event, 0, event.length, 4);
}

/** Feeds events named in a line; `.` is INSIDE, `|` ENDS, `-` OUTSIDE. */
function steps(line: string): string {
  const boundary = new TransactionBoundary();
  return line.trim().split(/\s+/).map((name) => {
    const result = step(boundary, name as EventName);
    assertEquals(boundary.inTransaction, result === INSIDE);
    return result === INSIDE ? "." : result === ENDS ? "|" : "-";
  }).join("");
}

/** Orders that servers write. */
const ORDERS: [what: string, events: string, steps: string][] = [
  ["beginning of a file", "format previous", "--"],
  ["ends of files", "rotate format stop rotate heartbeat heartbeat2", "------"],
  ["rows", "gtid begin tableMap write xid", "....|"],
  [
    "rows without a transactional engine",
    "gtid begin tableMap write commit",
    "....|",
  ],
  ["rolled back rows", "gtid begin tableMap write rollback", "....|"],
  [
    "rows of every kind",
    "gtid begin rowsQuery tableMap write update remove writeV1 partial xid",
    ".........|",
  ],
  [
    "savepoints",
    "gtid begin tableMap write savepoint rollbackTo write savepoint xid",
    "........|",
  ],
  ["DDL", "gtid ddl gtid ddl", ".|.|"],
  [
    "statement with its variables",
    "gtid begin intvar rand userVar statement xid",
    "......|",
  ],
  ["variables in front of a bare statement", "gtid intvar userVar ddl", "...|"],
  ["empty transaction", "gtid begin commit", "..|"],
  [
    "CREATE TABLE … SELECT in one transaction",
    "gtid begin ddl tableMap write xid",
    ".....|",
  ],
  ["tagged GTID", "tagged begin tableMap write xid", "....|"],
  [
    "anonymous transactions",
    "anonymous begin tableMap write xid anonymous ddl",
    "....|.|",
  ],
  [
    "no GTID events at all",
    "begin tableMap write xid ddl begin statement commit",
    "...||..|",
  ],
  [
    "no GTID, variables first",
    "intvar statement rand userVar statement",
    ".|..|",
  ],
  [
    "XA prepared, then committed",
    "gtid xaStart tableMap write xaEnd xaPrepare gtid xaCommit",
    ".....|.|",
  ],
  [
    "XA prepared, then rolled back",
    "gtid xaStart write xaEnd xaPrepare gtid xaRollback",
    "....|.|",
  ],
  ["XA rolled back inside", "gtid xaStart write xaEnd xaRollback", "....|"],
  ["compressed", "gtid payload anonymous payload tagged payload", ".|.|.|"],
  [
    "LOAD DATA as a statement",
    "gtid begin beginLoad append executeLoad xid",
    ".....|",
  ],
  [
    "incident with and without a GTID",
    "incident gtid incident begin incident",
    "|.|.|",
  ],
  ["group view change", "gtid begin viewChange commit", "...|"],
  [
    "ignorable events anywhere",
    "ignorable gtid ignorable begin ignorable xid",
    "-....|",
  ],
  [
    "events of the sender in a transaction",
    "gtid begin heartbeat rotate format previous xid",
    "......|",
  ],
  ["context before the GTID", "context gtid context begin xid", "-...|"],
  [
    "MariaDB beginning of a file",
    "format gtidList checkpoint encryption",
    "----",
  ],
  [
    "MariaDB rows",
    "mariadbGtid annotate tableMap writeV1 annotate tableMap writeCompressed xid",
    ".......|",
  ],
  [
    "MariaDB rows of another engine",
    "mariadbGtid annotate tableMap writeV1 commit",
    "....|",
  ],
  [
    "MariaDB DDL",
    "mariadbStandalone ddl mariadbStandalone queryCompressed",
    ".|.|",
  ],
  ["MariaDB statement", "mariadbGtid intvar statement xid", "...|"],
  [
    "MariaDB XA",
    "mariadbGtid tableMap writeV1 xaEnd xaPrepare mariadbStandalone xaCommit",
    "....|.|",
  ],
];

for (const [what, events, expected] of ORDERS) {
  Deno.test(`TransactionBoundary.step() follows ${what}`, () => {
    assertEquals(steps(events), expected);
  });
}

/** Orders that no server writes: the last event is refused. */
const IMPOSSIBLE: [events: string, state: string][] = [
  ["gtid gtid", "after a GTID"],
  ["gtid anonymous", "after a GTID"],
  ["intvar tagged", "before a statement"],
  ["gtid intvar gtid", "before a statement"],
  ["begin gtid", "inside a transaction"],
  ["gtid xaStart write tagged", "inside a transaction"],
  ["begin begin", "inside a transaction"],
  ["begin xaStart", "inside a transaction"],
  ["intvar begin", "before a statement"],
  ["xid", "outside a transaction"],
  ["gtid xid", "after a GTID"],
  ["gtid intvar xid", "before a statement"],
  ["commit", "outside a transaction"],
  ["gtid commit", "after a GTID"],
  ["rollback", "outside a transaction"],
  ["gtid rollback", "after a GTID"],
  ["xaPrepare", "outside a transaction"],
  ["gtid xaPrepare", "after a GTID"],
  ["xaRollback", "outside a transaction"],
  ["gtid intvar xaRollback", "before a statement"],
  ["payload", "outside a transaction"],
  ["begin payload", "inside a transaction"],
  ["gtid intvar payload", "before a statement"],
  ["gtid begin xid xid", "outside a transaction"],
  ["empty", "outside a transaction"],
  ["gtid begin empty", "inside a transaction"],
  ["unknown", "outside a transaction"],
  ["gtid begin unknown", "inside a transaction"],
  ["mariadbGtid mariadbGtid", "inside a transaction"],
  ["mariadbStandalone mariadbGtid", "after a GTID"],
  ["mariadbStandalone mariadbStandalone", "after a GTID"],
  ["mariadbGtid begin", "inside a transaction"],
];

for (const [events, state] of IMPOSSIBLE) {
  Deno.test(`TransactionBoundary.step() refuses "${events}"`, () => {
    const names = events.split(" ") as EventName[];
    const last = names.pop()!;
    const boundary = new TransactionBoundary();
    for (const name of names) step(boundary, name);
    const error = assertThrows(
      () => step(boundary, last),
      TransactionBoundaryError,
      `came ${state}`,
    );
    assertEquals(error.state, state);
    assertEquals(error.eventType, EVENTS[last][4]);
    // What follows is refused until the machine is told to begin again.
    assert(boundary.inTransaction);
    assertThrows(() => step(boundary, "format"), TransactionBoundaryError);
    boundary.reset();
    assertEquals(boundary.inTransaction, false);
    assertEquals(step(boundary, "format"), OUTSIDE);
  });
}

Deno.test("TransactionBoundary.step() says in words what it refused", () => {
  const refusal = (name: EventName): string =>
    assertThrows(
      () => step(new TransactionBoundary(), name),
      TransactionBoundaryError,
    ).message;
  assertEquals(
    refusal("xid"),
    "Cannot place event: a Xid event that ends a transaction came outside a transaction",
  );
  assertEquals(
    refusal("unknown"),
    "Cannot place event: an event of unknown type 77 that is not marked as ignorable came outside a transaction",
  );
  assertEquals(
    refusal("empty"),
    "Cannot place event: a Query event without a statement came outside a transaction",
  );
});

Deno.test("TransactionBoundary.step() throws for events it has to look into and cannot", () => {
  const cut: [EventName, number][] = [
    ["begin", 22],
    ["mariadbGtid", 30],
    ["unknown", 18],
  ];
  for (const [name, length] of cut) {
    const event = EVENTS[name];
    const boundary = new TransactionBoundary();
    assertThrows(
      () =>
        boundary.step(event[4]!, event.slice(0, length), 0, event.length, 4),
      MalformedEventError,
    );
    assertThrows(() => step(boundary, "format"), TransactionBoundaryError);
  }
  assertThrows(
    () => step(new TransactionBoundary(), "mariadbShort"),
    MalformedEventError,
  );
});

Deno.test("TransactionBoundary.reset() forgets an unfinished transaction", () => {
  const boundary = new TransactionBoundary();
  step(boundary, "gtid");
  step(boundary, "begin");
  assert(boundary.inTransaction);
  boundary.reset();
  assertEquals(step(boundary, "gtid"), INSIDE);
});

Deno.test("TransactionBoundary finds the ends of randomly joined transactions", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = new SeededRandom(seed);
    let events = "";
    let expected = "";
    for (let i = 0; i < 20; i++) {
      const [, names, marks] = random.pick(ORDERS);
      events += ` ${names}`;
      expected += marks;
    }
    assertEquals(steps(events), expected, `seed ${seed}`);
  }
});

Deno.test("TransactionBoundary.stepLarge() places an event by its header alone", () => {
  const boundary = new TransactionBoundary();
  step(boundary, "gtid");
  step(boundary, "begin");
  assertEquals(boundary.stepLarge(EventType.WRITE_ROWS, 0), INSIDE);
  assertEquals(boundary.stepLarge(EventType.QUERY, 0), INSIDE);
  assertEquals(boundary.stepLarge(77, EventFlag.IGNORABLE), INSIDE);
  assertEquals(step(boundary, "xid"), ENDS);
  assertEquals(boundary.stepLarge(77, EventFlag.IGNORABLE), OUTSIDE);
  step(boundary, "gtid");
  assertEquals(boundary.stepLarge(EventType.QUERY, 0), ENDS);
  step(boundary, "gtid");
  assertEquals(boundary.stepLarge(EventType.TRANSACTION_PAYLOAD, 0), ENDS);
});

Deno.test("TransactionBoundary.stepLarge() refuses what step() refuses", () => {
  const boundary = new TransactionBoundary();
  for (const type of [EventType.TRANSACTION_PAYLOAD, EventType.XID, 77]) {
    assertThrows(() => boundary.stepLarge(type, 0), TransactionBoundaryError);
    assertThrows(() => step(boundary, "format"), TransactionBoundaryError);
    boundary.reset();
  }
  // Nothing but its body tells whether MariaDB's GTID begins a transaction.
  assertThrows(
    () => boundary.stepLarge(EventType.MARIADB_GTID, 0),
    TransactionBoundaryError,
  );
});

Deno.test("TransactionBoundary.step() takes every type code or refuses it by name", () => {
  for (let type = 0; type < 256; type++) {
    const boundary = new TransactionBoundary();
    const event = bareEvent(type, { body: new Uint8Array(40) });
    try {
      boundary.step(type, event, 0, event.length, 4);
    } catch (error) {
      assert(
        error instanceof TransactionBoundaryError ||
          error instanceof MalformedEventError,
        `type ${type}: ${error}`,
      );
    }
  }
});
