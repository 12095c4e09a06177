import { assertEquals, assertRejects } from "@std/assert";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import { formatMariadbGtidPosition } from "../../../lib/gtid/mariadb_gtid_position.ts";
import type { StoredFile, StoreHead } from "../../../lib/store/binlog_store.ts";
import type { SourceIdentity } from "../../../lib/store/source_identity.ts";
import {
  type DumpPlan,
  hasMore,
  planDump,
  type PlannedLog,
} from "../../../lib/syncer/dump_plan.ts";
import { SourceError } from "../../../lib/syncer/source_error.ts";
import type { SourceSession } from "../../../lib/syncer/source_session.ts";
import { loadBinlogFixture } from "../../support/binlog_fixture.ts";

const A = "aaaaaaaa-e6f6-11f1-a979-02fc00000001";
const B = "bbbbbbbb-e6f6-11f1-a979-02fc00000001";
const FORMAT = loadBinlogFixture("mysql97", "binlog.000001").events[0]!.bytes;
const OTHER = loadBinlogFixture("mysql56", "binlog.000003").events[0]!.bytes;

function identity(uuid: string): SourceIdentity {
  return {
    flavour: "mysql",
    serverId: "2",
    uuid,
    version: "9.7.4",
    gtidMode: "ON",
    binlogFormat: "ROW",
    binlogChecksum: "CRC32",
    binlogRowImage: "FULL",
  };
}

function file(changes: Partial<StoredFile> = {}): StoredFile {
  const name = changes.name ?? "binlog.000007";
  return {
    number: 1,
    name,
    firstBlock: 0,
    size: 500,
    closed: false,
    serverUuid: A,
    sourceName: name,
    spliced: false,
    previousGtids: new GtidSet(),
    mariadbStart: undefined,
    formatDescription: FORMAT,
    checksumAlgorithm: "crc32",
    firstTimestamp: 0,
    lastTimestamp: 0,
    ...changes,
  };
}

/** A log with one file and what has been executed by its end. */
function logOf(newest: StoredFile, executed = `${A}:1-5`): PlannedLog {
  const head = {
    executed: GtidSet.parse(executed),
    lastGtid: `${A}:5`,
  } as StoreHead;
  return {
    head,
    files: [newest],
    fileByName: (name) => name === newest.name ? newest : undefined,
    writer: { position: newest.size } as PlannedLog["writer"],
  };
}

interface Answers {
  executed?: string;
  purged?: string;
  files?: [name: string, size: number][];
  format?: Uint8Array;
}

function session(answers: Answers): SourceSession {
  const { executed = `${A}:1-9`, purged = "", format = FORMAT } = answers;
  const files = answers.files ??
    [["binlog.000006", 900], ["binlog.000007", 800], ["binlog.000008", 200]];
  return {
    files: () => Promise.resolve(files.map(([name, size]) => ({ name, size }))),
    executedGtids: () => Promise.resolve(GtidSet.parse(executed)),
    purgedGtids: () => Promise.resolve(GtidSet.parse(purged)),
    previousGtids: () => Promise.resolve(GtidSet.parse(`${A}:1-5`)),
    formatDescription: () => Promise.resolve(format),
    replicates: () => Promise.resolve(true),
  } as unknown as SourceSession;
}

function plan(
  log: PlannedLog,
  uuid: string,
  answers: Answers = {},
): Promise<DumpPlan> {
  const source = session(answers);
  return planDump(source, identity(uuid), {
    store: log,
    start: "oldest",
    aside: (use) => use(source),
    readTimeoutMs: 1000,
  });
}

function pointOf({ from }: DumpPlan): unknown {
  if ("after" in from) return formatMariadbGtidPosition(from.after);
  return "executed" in from
    ? from.executed.toString()
    : [from.fileName, from.position];
}

Deno.test("planDump() begins an empty log where it is told", async () => {
  const log = { ...logOf(file()), head: undefined, files: [] };
  assertEquals(pointOf(await plan(log, A)), ["binlog.000006", 4]);
});

Deno.test("planDump() goes on by position with the same server", async () => {
  const { from, context } = await plan(logOf(file()), A);
  assertEquals(pointOf({ from, context }), ["binlog.000007", 500]);
  assertEquals(context.resumed, FORMAT);
  assertEquals([context.fileEnded, context.splice], [false, undefined]);
});

Deno.test("planDump() asks for a renamed file by the server's own name", async () => {
  const renamed = file({ name: "binlog.000011", sourceName: "binlog.000007" });
  assertEquals(pointOf(await plan(logOf(renamed), A)), ["binlog.000007", 500]);
});

Deno.test("planDump() goes on behind a renamed rotate in the server's next file", async () => {
  const ended = file({
    name: "binlog.1000000",
    sourceName: "binlog.000007",
    closed: true,
    // one more than it has there: the name in the rotate is longer
    size: 801,
  });
  const { from, context } = await plan(logOf(ended), A);
  assertEquals(pointOf({ from, context }), ["binlog.000008", 4]);
  assertEquals(context.fileEnded, true);
  const error = await assertRejects(
    () => plan(logOf(ended), A, { files: [["binlog.000007", 800]] }),
    SourceError,
  );
  assertEquals(error.kind, "lost");
});

Deno.test("planDump() goes on by GTID behind a spliced file", async () => {
  const spliced = file({ spliced: true });
  const { from, context } = await plan(logOf(spliced), A);
  assertEquals(pointOf({ from, context }), `${A}:1-5`);
  assertEquals(context.splice, { open: FORMAT, fresh: false });
  const closed = await plan(logOf(file({ spliced: true, closed: true })), A);
  assertEquals(closed.context.splice, { open: undefined, fresh: false });
  for (
    const [answers, kind] of [
      [{ executed: `${A}:1-4` }, "source-lost-events"],
      [{ purged: `${A}:1-6` }, "purged"],
    ] as const
  ) {
    const error = await assertRejects(
      () => plan(logOf(spliced), A, answers),
      SourceError,
    );
    assertEquals(error.kind, kind);
  }
});

Deno.test("planDump() goes on by GTID with another server", async () => {
  const { from, context } = await plan(logOf(file()), B);
  assertEquals(pointOf({ from, context }), `${A}:1-5`);
  assertEquals(context.splice, { open: undefined, fresh: true });
  assertEquals(context.names?.nameAfter("binlog.000003"), "binlog.000008");
  const error = await assertRejects(
    () => plan(logOf(file()), B, { executed: `${A}:1-4` }),
    SourceError,
  );
  assertEquals(error.kind, "behind");
});

Deno.test("planDump() goes on by position where an unknown server's file is", async () => {
  const imported = file({ serverUuid: "" });
  assertEquals(pointOf(await plan(logOf(imported), B)), ["binlog.000007", 500]);
  for (
    const answers of [
      { format: OTHER },
      { files: [["binlog.000007", 499]] as [string, number][] },
      { files: [["binlog.000008", 900]] as [string, number][] },
    ]
  ) {
    const there = await plan(logOf(imported), B, answers);
    assertEquals(pointOf(there), `${A}:1-5`);
  }
});

Deno.test("hasMore() compares what the source has with the log", async () => {
  const ask = (log: PlannedLog, answers: Answers, isByGtid = false) =>
    hasMore(session(answers), identity(A), log, isByGtid);
  const files: [string, number][] = [["binlog.000007", 500]];
  assertEquals(await ask(logOf(file()), { files }), false);
  assertEquals(await ask(logOf(file({ size: 400 })), { files }), true);
  assertEquals(await ask(logOf(file()), {}), true);
  const spliced = logOf(file({ spliced: true }));
  assertEquals(await ask(spliced, {}), true);
  assertEquals(await ask(spliced, { executed: `${A}:1-5` }), false);
  // followed by GTID, and nothing came yet
  const old = logOf(file({ serverUuid: B }));
  assertEquals(await ask(old, { executed: `${A}:1-5` }, true), false);
});
