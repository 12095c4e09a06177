import { assert, assertEquals } from "@std/assert";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import {
  assertSameDump,
  type DumpTranscript,
  takeDump,
} from "../../support/dump_comparison.ts";
import { isHeartbeat } from "../../support/dump_client.ts";
import { SeededRandom } from "../../support/seeded_random.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { binlogsOf } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import { TRANSACTION_KINDS } from "../../support/transaction_kinds.ts";

const source = new SharedSource56();

/** Three files, and a kingbus with the source's own identity that has them. */
async function openKingbus(): Promise<TestKingbus> {
  const kinds = Object.entries(TRANSACTION_KINDS)
    .filter(([kind]) => !kind.includes("megabytes"))
    .flatMap(([, statements]) => statements);
  await source.run(
    TEST_TABLE,
    "INSERT INTO test.t (data) VALUES (REPEAT('x', 100000)), ('two')",
    ...kinds,
    "FLUSH LOGS",
    ...Array(60).fill("INSERT INTO test.t (data) VALUES ('more')"),
    "FLUSH LOGS",
    ...Array(10).fill("INSERT INTO test.t (data) VALUES ('and more')"),
  );
  const kingbus = await TestKingbus.following(source, {
    server: { identity: "source" },
  });
  await kingbus.waitUntilHas(await source.executed());
  return kingbus;
}

/**
 * The answer with one heartbeat, the last, in place of each run of them: 5.6
 * sends one for each event it leaves out, later servers and kingbus one for all.
 */
function withoutRepeats({ events, end }: DumpTranscript): DumpTranscript {
  return {
    end,
    events: events.filter((event, index) => {
      const next = events[index + 1];
      return !isHeartbeat(event) || next === undefined || !isHeartbeat(next);
    }),
  };
}

Deno.test("kingbus sends a dump by position as a 5.6 source does, to the byte", async () => {
  await using kingbus = await openKingbus();
  for (const { name, size } of await binlogsOf(source.server)) {
    const { rows } = await source.server.query(
      `SHOW BINLOG EVENTS IN '${name}' LIMIT 80`,
    );
    const starts = rows.map((row) => Number(row[1]));
    for (
      const position of [4, ...starts.filter((_, n) => n % 9 === 1), size]
    ) {
      for (const checksum of ["CRC32", "NONE"] as const) {
        const request = { fileName: name, position, checksum };
        const expected = await takeDump(source, request);
        assertEquals(expected.end, "EOF");
        const actual = await takeDump(kingbus, request);
        assertSameDump(actual, expected, { senderServerId: false });
      }
    }
  }
});

Deno.test("kingbus sends a dump by GTID as a 5.6 source does, but for repeated heartbeats", async () => {
  await using kingbus = await openKingbus();
  const all = GtidSet.parse(await source.executed());
  const { uuid } = source.server;
  const count = Number(all.restrictedTo(uuid).count());
  const random = new SeededRandom(
    Number(Deno.env.get("KINGBUS_SEED") ?? 56),
  );
  const sets = [new GtidSet(), all, GtidSet.parse(`${uuid}:1`)];
  for (let round = 0; round < 20; round++) {
    const set = new GtidSet();
    for (let runs = random.integer(1, 4); runs > 0; runs--) {
      const first = random.integer(1, count);
      const last = Math.min(count, first + random.pick([0, 1, 5, 40]));
      set.addInterval(uuid, "", BigInt(first), BigInt(last));
    }
    sets.push(set);
  }
  for (const set of sets) {
    const request = { executed: set.toString() };
    const expected = withoutRepeats(await takeDump(source, request));
    const actual = await takeDump(kingbus, request);
    assertEquals(withoutRepeats(actual), actual);
    assert(actual.events.length >= 2);
    assertSameDump(actual, expected, { senderServerId: false });
  }
});
