import { assertEquals, assertRejects } from "@std/assert";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import {
  type LogEnd,
  resumePoint,
  startPoint,
} from "../../../lib/syncer/resume_point.ts";
import { SourceError } from "../../../lib/syncer/source_error.ts";
import type { SourceIdentity } from "../../../lib/store/source_identity.ts";
import type {
  SourceFile,
  SourceSession,
} from "../../../lib/syncer/source_session.ts";

const UUID = "d63952fd-e6f6-11f1-a979-02fc00000001";

const IDENTITY: SourceIdentity = {
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
): SourceSession {
  return {
    files: () => Promise.resolve([...files]),
    previousGtids: (name: string) =>
      Promise.resolve(
        GtidSet.parse(files.find((file) => file.name === name)!.previous),
      ),
    executedGtids: () => Promise.resolve(GtidSet.parse(executed)),
  } as unknown as SourceSession;
}

const FILES = [
  { name: "binlog.000007", size: 1000, previous: `${UUID}:1-10` },
  { name: "binlog.000008", size: 2000, previous: `${UUID}:1-20` },
  { name: "binlog.000009", size: 3000, previous: `${UUID}:1-30` },
];

function end(file: string, position: number, executed: string): LogEnd {
  return { fileName: file, position, executed: GtidSet.parse(executed) };
}

Deno.test("startPoint() begins at the oldest or the newest file", async () => {
  assertEquals(await startPoint(source(FILES), "oldest"), {
    fileName: "binlog.000007",
    position: 4,
  });
  assertEquals(await startPoint(source(FILES), "newest"), {
    fileName: "binlog.000009",
    position: 4,
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
    assertEquals((await startPoint(source(FILES), set)).fileName, file);
  }
});

Deno.test("startPoint() refuses a set from before the oldest file", async () => {
  const error = await assertRejects(
    () => startPoint(source(FILES), `${UUID}:1-5`),
    SourceError,
    `oldest file binlog.000007 follows ${UUID}:6-10`,
  );
  assertEquals(error.kind, "hole");
  assertEquals(error.retriable, false);
});

Deno.test("resumePoint() goes on where the log ends", async () => {
  const session = source(FILES, `${UUID}:1-40`);
  const at = end("binlog.000008", 1500, `${UUID}:1-25`);
  assertEquals(await resumePoint(session, IDENTITY, at, UUID), {
    fileName: "binlog.000008",
    position: 1500,
  });
});

for (
  const [what, files, executed, at, kind, message] of [
    [
      "purged our file",
      FILES,
      `${UUID}:1-40`,
      end("binlog.000006", 500, `${UUID}:1-9`),
      "hole",
      "has no file binlog.000006 any more",
    ],
    [
      "has a shorter file",
      FILES,
      `${UUID}:1-40`,
      end("binlog.000009", 3001, `${UUID}:1-31`),
      "hole",
      "binlog.000009 has 3000 bytes, kingbus has received 3001",
    ],
    [
      "lost transactions",
      FILES,
      `${UUID}:1-30`,
      end("binlog.000009", 2000, `${UUID}:1-31`),
      "hole",
      `does not have transactions it once sent: ${UUID}:31`,
    ],
  ] as const
) {
  Deno.test(`resumePoint() refuses a source that ${what}`, async () => {
    const error = await assertRejects(
      () => resumePoint(source(files, executed), IDENTITY, at, UUID),
      SourceError,
      message,
    );
    assertEquals(error.kind, kind);
    assertEquals(error.retriable, false);
  });
}

Deno.test("resumePoint() refuses another server", async () => {
  const other = "aaaaaaaa-e6f6-11f1-a979-02fc00000001";
  const error = await assertRejects(
    () =>
      resumePoint(
        source(FILES, `${UUID}:1-40`),
        { ...IDENTITY, uuid: other },
        end("binlog.000008", 1500, `${UUID}:1-25`),
        UUID,
      ),
    SourceError,
    other,
  );
  assertEquals(error.kind, "other-source");
});
