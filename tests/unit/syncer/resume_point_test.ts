import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import { parseMariadbGtidPosition } from "../../../lib/gtid/mariadb_gtid_position.ts";
import { MariadbGtidState } from "../../../lib/gtid/mariadb_gtid_state.ts";
import {
  type LogEnd,
  resumePoint,
  startPoint,
} from "../../../lib/syncer/resume_point.ts";
import { SourceError } from "../../../lib/syncer/source_error.ts";
import type { SourceIdentity } from "../../../lib/store/source_identity.ts";
import { loadBinlogFixtures } from "../../support/binlog_fixture.ts";
import type {
  SourceFile,
  SourceSession,
} from "../../../lib/syncer/source_session.ts";

const UUID = "d63952fd-e6f6-11f1-a979-02fc00000001";

const IDENTITY: SourceIdentity = {
  flavour: "mysql",
  serverId: "1",
  uuid: UUID,
  version: "9.7.4",
  gtidMode: "ON",
  binlogFormat: "ROW",
  binlogChecksum: "CRC32",
  binlogRowImage: "FULL",
};

/** A source with these files, each with the GTIDs of those before it. */
function source(
  files: readonly (SourceFile & { previous: string })[],
  executed = "",
  { purged = "", format = FORMAT } = {},
): SourceSession {
  return {
    files: () => Promise.resolve([...files]),
    previousGtids: (name: string) =>
      Promise.resolve(
        GtidSet.parse(files.find((file) => file.name === name)!.previous),
      ),
    purgedGtids: () => Promise.resolve(GtidSet.parse(purged)),
    formatDescription: () => Promise.resolve(format),
    executedGtids: () => Promise.resolve(GtidSet.parse(executed)),
  } as unknown as SourceSession;
}

/** The first event of a file, and of one that was made later. */
const [FORMAT, OTHER_FORMAT] = loadBinlogFixtures("mysql97").slice(0, 2).map(
  ({ events }) => events[0]!.bytes,
) as [Uint8Array, Uint8Array];

const FILES = [
  { name: "binlog.000007", size: 1000, previous: `${UUID}:1-10` },
  { name: "binlog.000008", size: 2000, previous: `${UUID}:1-20` },
  { name: "binlog.000009", size: 3000, previous: `${UUID}:1-30` },
];

/** The sizes of all but the newest. */
const CLOSED = new Map([["binlog.000007", 1000], ["binlog.000008", 2000]]);

/** Where a log ends that begins with file 5. */
function end(fileName: string, position: number, executed: string): LogEnd {
  const files = [5, 6, 7, 8, 9, 10].map((number) => ({
    name: `binlog.${String(number).padStart(6, "0")}`,
    formatDescription: FORMAT,
  })).filter(({ name }) => name <= fileName);
  return {
    fileName,
    position,
    executed: GtidSet.parse(executed),
    mariadb: undefined,
    files,
  };
}

Deno.test("startPoint() begins at the oldest or the newest file", async () => {
  assertEquals(await startPoint(source(FILES), "oldest", "mysql"), {
    fileName: "binlog.000007",
    position: 4,
    closedFiles: CLOSED,
  });
  assertEquals(await startPoint(source(FILES), "newest", "mysql"), {
    fileName: "binlog.000009",
    position: 4,
    closedFiles: CLOSED,
  });
});

Deno.test("startPoint() begins at the newest file whose past is in the set", async () => {
  for (
    const [set, file] of [
      [`${UUID}:1-10`, "binlog.000007"],
      [`${UUID}:1-29`, "binlog.000008"],
      [`${UUID}:1-30`, "binlog.000009"],
      [`${UUID}:1-99`, "binlog.000009"],
    ] as const
  ) {
    assertEquals(
      (await startPoint(source(FILES), set, "mysql")).fileName,
      file,
    );
  }
});

Deno.test("startPoint() refuses a set from before the oldest file", async () => {
  const error = await assertRejects(
    () => startPoint(source(FILES), `${UUID}:1-5`, "mysql"),
    SourceError,
    `oldest file binlog.000007 follows ${UUID}:6-10`,
  );
  assertEquals(error.kind, "purged");
});

Deno.test("resumePoint() goes on where the log ends", async () => {
  const session = source(FILES, `${UUID}:1-40`);
  const at = end("binlog.000008", 1500, `${UUID}:1-25`);
  assertEquals(await resumePoint(session, IDENTITY, at), {
    fileName: "binlog.000008",
    position: 1500,
    closedFiles: CLOSED,
  });
});

Deno.test("resumePoint() asks a source without GTIDs for none", async () => {
  const at = end("binlog.000008", 1500, `${UUID}:1-25`);
  const identity = { ...IDENTITY, gtidMode: "OFF" };
  const from = await resumePoint(source(FILES, ""), identity, at);
  assertEquals(from.position, 1500);
});

Deno.test("resumePoint() goes on with what the source has sent and not counted yet", async () => {
  const session = source(FILES, `${UUID}:1-30`);
  const at = end("binlog.000009", 3000, `${UUID}:1-31`);
  const { position } = await resumePoint(session, IDENTITY, at);
  assertEquals(position, 3000);
});

/** Tries to go on at a source that can't be gone on with; answers why. */
async function refusal(session: SourceSession, at: LogEnd) {
  const { kind, message } = await assertRejects(
    () => resumePoint(session, IDENTITY, at),
    SourceError,
  );
  return { kind, message };
}

function assertSays(message: string, ...parts: string[]): void {
  for (const part of parts) assertStringIncludes(message, part);
}

Deno.test("resumePoint() names the files and GTIDs that were purged", async () => {
  const session = source(FILES, `${UUID}:1-40`, { purged: `${UUID}:1-10` });
  const at = end("binlog.000005", 500, `${UUID}:1-7`);
  const { kind, message } = await refusal(session, at);
  assertEquals(kind, "purged");
  assertSays(
    message,
    "has no file binlog.000005 any more, in which kingbus stopped at position 500",
    "Missing is binlog.000005 from there to binlog.000006",
    `The missing transactions are ${UUID}:8-10`,
    "kingbus import",
    "data-dir",
  );
});

Deno.test("resumePoint() says when no transaction was purged, but bytes", async () => {
  const session = source(FILES, `${UUID}:1-40`, { purged: `${UUID}:1-10` });
  const at = end("binlog.000006", 500, `${UUID}:1-10`);
  const { kind, message } = await refusal(session, at);
  assertEquals(kind, "purged");
  assertSays(
    message,
    "Missing is binlog.000006 from there. No transaction with a GTID",
  );
});

Deno.test("resumePoint() refuses a source with transactions that are in no file", async () => {
  const purged = `${UUID}:1-10,aaaaaaaa-e6f6-11f1-a979-02fc00000001:1-5`;
  const { kind, message } = await refusal(
    source(FILES, purged, { purged }),
    end("binlog.000008", 1500, `${UUID}:1-25`),
  );
  assertEquals(kind, "hole");
  assertSays(
    message,
    "not received: aaaaaaaa-e6f6-11f1-a979-02fc00000001:1-5.",
    "gtid_purged",
    "data-dir",
  );
});

Deno.test("resumePoint() names what the source has executed and lost of its log", async () => {
  const { kind, message } = await refusal(
    source(FILES, `${UUID}:1-31`, { purged: `${UUID}:1-10:31` }),
    end("binlog.000008", 2001, `${UUID}:1-31`),
  );
  assertEquals(kind, "source-lost-events");
  assertSays(message, `once sent in none of its files: ${UUID}:31.`);
});

Deno.test("resumePoint() says what a source has lost that has the same files", async () => {
  const shorter = await refusal(
    source(FILES, `${UUID}:1-40`),
    end("binlog.000008", 2001, `${UUID}:1-31`),
  );
  assertEquals(shorter.kind, "source-lost-events");
  assertSays(
    shorter.message,
    "kingbus has received all up to binlog.000008 position 2001",
    "the source has 2000 bytes of binlog.000008.",
  );
  const fewer = await refusal(
    source(FILES, `${UUID}:1-30`),
    end("binlog.000009", 3001, `${UUID}:1-31`),
  );
  assertEquals(fewer.kind, "source-lost-events");
  assertSays(fewer.message, `transactions that it once sent: ${UUID}:31.`);
  const older = await refusal(
    source(FILES, `${UUID}:1-40`),
    end("binlog.000010", 500, `${UUID}:1-40`),
  );
  assertEquals(older.kind, "source-lost-events");
  assertSays(
    older.message,
    "the source has no file binlog.000010, and binlog.000009 as its newest",
  );
});

Deno.test("resumePoint() knows a reset log by files of other content or number", async () => {
  const other = await refusal(
    source(FILES, `${UUID}:1-30`, { format: OTHER_FORMAT }),
    end("binlog.000009", 3001, `${UUID}:1-31`),
  );
  assertEquals(other.kind, "reset");
  assertSays(
    other.message,
    "its file binlog.000007 is not the one that kingbus has",
    `${UUID}:31`,
    "data-dir",
  );
  const restarted = [{ name: "binlog.000001", size: 400, previous: "" }];
  const fewer = await refusal(
    source(restarted, ""),
    end("binlog.000009", 2000, `${UUID}:1-31`),
  );
  assertEquals(fewer.kind, "reset");
  assertSays(fewer.message, "none of the files that kingbus has");
  const shorter = await refusal(
    source(restarted, ""),
    {
      ...end("binlog.000001", 401, ""),
      files: [{ name: "binlog.000001", formatDescription: FORMAT }],
    },
  );
  assertEquals(shorter.kind, "reset");
  assertSays(
    shorter.message,
    "its file binlog.000001, which it writes, has less",
  );
});

/** A MariaDB source with files that begin with these states. */
function mariadbSource(
  states: Record<string, string>,
  positionAt?: string,
): SourceSession {
  return {
    files: () =>
      Promise.resolve(
        Object.keys(states).map((name) => ({ name, size: 1000 })),
      ),
    mariadbStateBefore: (name: string) =>
      Promise.resolve(MariadbGtidState.parse(states[name]!)),
    mariadbPositionAt: () =>
      Promise.resolve(
        positionAt === undefined
          ? undefined
          : parseMariadbGtidPosition(positionAt),
      ),
  } as unknown as SourceSession;
}

const STATES = {
  "binlog.000007": "0-1-10",
  "binlog.000008": "0-1-20,1-1-5",
  "binlog.000009": "1-1-5,0-1-20,0-2-30",
};

Deno.test("startPoint() begins at the newest MariaDB file that has what comes after a position", async () => {
  for (
    const [start, file] of [
      ["oldest", "binlog.000007"],
      ["newest", "binlog.000009"],
      ["0-1-10", "binlog.000007"],
      // The whole domain 1 is needed.
      ["0-1-20", "binlog.000007"],
      ["0-1-20,1-1-5", "binlog.000008"],
      ["0-2-30,1-1-5", "binlog.000009"],
    ] as const
  ) {
    const point = await startPoint(mariadbSource(STATES), start, "mariadb");
    assertEquals(point.fileName, file, start);
  }
});

Deno.test("startPoint() refuses a MariaDB position from before the oldest file, and what is none", async () => {
  const session = mariadbSource(STATES);
  const purged = await assertRejects(
    () => startPoint(session, "0-1-9,1-1-1", "mariadb"),
    SourceError,
    "0-1-9,1-1-1: its oldest file binlog.000007 follows 0-1-10",
  );
  assertEquals(purged.kind, "purged");
  for (
    const [start, flavour, expected] of [
      [`${UUID}:1-5`, "mariadb", "a MariaDB GTID position"],
      ["0-1-5", "mysql", "a GTID set"],
    ] as const
  ) {
    const error = await assertRejects(
      () => startPoint(session, start, flavour),
      SourceError,
      `source.start is '${start}'`,
    );
    assertEquals(error.kind, "unsuitable");
    assertStringIncludes(error.message, expected);
  }
});

Deno.test("resumePoint() compares the GTIDs at its place with a MariaDB source's", async () => {
  const identity = { ...IDENTITY, flavour: "mariadb", uuid: "" } as const;
  const at = (positionAt?: string) =>
    resumePoint(mariadbSource(STATES, positionAt), identity, {
      ...end("binlog.000008", 500, ""),
      mariadb: MariadbGtidState.parse("0-1-20,1-2-4,1-1-5,0-2-25"),
    });
  assertEquals((await at("1-1-5,0-2-25")).position, 500);
  // One that can't tell is believed.
  assertEquals((await at()).position, 500);
  const error = await assertRejects(() => at("0-2-24,1-1-5"), SourceError);
  assertEquals(error.kind, "reset");
  assertStringIncludes(
    error.message,
    "at GTID '0-2-24,1-1-5', kingbus has '0-2-25,1-1-5'",
  );
});
