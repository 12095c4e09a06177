import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import type { SourceIdentity } from "../../../lib/store/source_identity.ts";
import { SourceError } from "../../../lib/syncer/source_error.ts";
import type { SourceSession } from "../../../lib/syncer/source_session.ts";
import {
  checkSwitch,
  type GtidsInOrder,
} from "../../../lib/syncer/switch_check.ts";

const A = "aaaaaaaa-e6f6-11f1-a979-02fc00000001";
const B = "bbbbbbbb-e6f6-11f1-a979-02fc00000001";
const C = "cccccccc-e6f6-11f1-a979-02fc00000001";

const IDENTITY: SourceIdentity = {
  flavour: "mysql",
  serverId: "2",
  uuid: B,
  version: "9.7.4",
  gtidMode: "ON",
  binlogFormat: "ROW",
  binlogChecksum: "CRC32",
  binlogRowImage: "FULL",
};

interface Server {
  /** GTIDs of each file, in their order: "a1 b1 a2". */
  readonly files: readonly string[];
  readonly purged?: string;
  readonly replicates?: boolean;
  readonly identity?: Partial<SourceIdentity>;
}

function setOf(gtids: string): GtidSet {
  const set = new GtidSet();
  for (const [uuid, gno] of parse(gtids)) set.add(uuid, "", gno);
  return set;
}

function parse(gtids: string): [uuid: string, gno: bigint][] {
  const uuids: Record<string, string> = { a: A, b: B, c: C };
  return gtids.split(" ").filter((one) => one !== "").map((one) => [
    uuids[one[0]!]!,
    BigInt(one.slice(1)),
  ]);
}

/** Checks whether a log can go on with a server; answers the files it read. */
async function check(
  log: string,
  server: Server,
  last = "",
): Promise<string[]> {
  const purged = setOf(server.purged ?? "");
  const session = {
    files: () =>
      Promise.resolve(
        server.files.map((_, index) => ({ name: `file.${index}`, size: 1 })),
      ),
    previousGtids: (name: string) => {
      const index = Number(name.split(".")[1]);
      return Promise.resolve(setOf(server.files.slice(0, index).join(" ")));
    },
    executedGtids: () =>
      Promise.resolve(setOf(server.files.join(" ")).union(purged)),
    purgedGtids: () => Promise.resolve(purged),
    replicates: () => Promise.resolve(server.replicates ?? false),
  } as unknown as SourceSession;
  const read: string[] = [];
  const order: GtidsInOrder = (name, take) => {
    read.push(name);
    const index = Number(name.split(".")[1]);
    for (const [uuid, gno] of parse(server.files[index]!)) take(uuid, "", gno);
    return Promise.resolve();
  };
  await checkSwitch(session, { ...IDENTITY, ...server.identity }, {
    executed: setOf(log),
    serverUuid: A,
    lastGtid: last,
  }, order);
  return read;
}

async function refusal(log: string, server: Server): Promise<SourceError> {
  return await assertRejects(() => check(log, server), SourceError);
}

Deno.test("checkSwitch() takes a server that goes on where the log ends", async () => {
  assertEquals(await check("a1 a2", { files: ["a1 a2"] }), []);
  assertEquals(await check("a1 a2", { files: ["a1 a2", "b1 b2"] }), []);
  assertEquals(await check("a1 a2", { files: ["a1 a2 b1", "b2"] }), ["file.0"]);
  assertEquals(
    await check("a1 a2 a3", { files: ["a1", "a2 a3 a4", "b1", ""] }),
    ["file.1"],
  );
  // what the log has was purged there, all that comes after was not
  assertEquals(
    await check("a1 a2", { files: ["b1", "b2"], purged: "a1 a2" }),
    [],
  );
});

Deno.test("checkSwitch() refuses a server without GTIDs, or without uuid", async () => {
  for (const identity of [{ gtidMode: "OFF_PERMISSIVE" }, { uuid: "" }]) {
    const { kind } = await refusal("a1", { files: ["a1"], identity });
    assertEquals(kind, "other-source");
  }
});

Deno.test("checkSwitch() refuses a server that lacks something, and names it", async () => {
  const server = { files: ["a1 a2 b1"] };
  const { kind, message } = await refusal("a1 a2 a3", server);
  assertEquals(kind, "behind");
  assertStringIncludes(message, `${A}:3.`);
  assertStringIncludes(message, "It is no replica");
  const replica = await refusal("a1 a2 a3", { ...server, replicates: true });
  assertStringIncludes(replica.message, "may still get them");
});

Deno.test("checkSwitch() refuses a server that has purged what comes next", async () => {
  const { kind, message } = await refusal("a1", {
    files: ["a3"],
    purged: "a1 a2",
  });
  assertEquals(kind, "purged");
  assertStringIncludes(message, `${A}:2.`);
});

Deno.test("checkSwitch() refuses what stands before the log's end, and names it", async () => {
  for (
    const files of [
      ["a1 b1 a2"],
      ["a1 b1 a2 b2", "b3"],
      ["a1 b1", "a2"],
      ["a1", "b1", "a2 b2"],
      ["b1 a1", "a2", "b2"],
      ["b1", "a1 a2", "b2"],
      ["b1", "a1 b5 a2", "b2"],
    ]
  ) {
    const { kind, message } = await refusal("a1 a2", { files });
    assertEquals(kind, "errant", files.join(" | "));
    const named = files.join().includes("b5") ? `${B}:1:5` : `${B}:1`;
    assertStringIncludes(message, `log has: ${named}.`);
  }
});

Deno.test("checkSwitch() refuses what a third server did before the log's end", async () => {
  const { kind, message } = await refusal("a1 a2", { files: ["a1 c7 a2"] });
  assertEquals(kind, "errant");
  assertStringIncludes(message, `${C}:7`);
});

Deno.test("checkSwitch() takes what was only applied in another order", async () => {
  assertEquals(
    await check("a1 a2", { files: ["a1 a3 a2 a4"] }),
    ["file.0"],
  );
  assertEquals(await check("a1 a2", { files: ["a1 a3", "a2 b1"] }), ["file.1"]);
  // a is a replica of c itself: its transactions are that server's
  assertEquals(
    await check("c1 c2", { files: ["c1 c3 c2"] }, `${C}:2`),
    ["file.0"],
  );
});
