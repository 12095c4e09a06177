import { assert, assertEquals, assertRejects } from "@std/assert";
import { DumpFlag } from "../../../lib/protocol/command.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { BinlogServer } from "../../../lib/server/binlog_server.ts";
import {
  DUMP_OUTCOMES,
  type DumpOutcome,
} from "../../../lib/server/dump_outcome.ts";
import { silentLog } from "../../../lib/log/log.ts";
import { REPLICATION_ACCOUNT } from "../../../scripts/test_servers/mysql56.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import {
  DumpClient,
  type DumpClientOptions,
} from "../../support/dump_client.ts";
import { insertValue, LARGE_TABLE } from "../../support/large_rows.ts";
import { SemiSyncClient } from "../../support/semi_sync_client.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { executedOf } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";

const source = new SharedSource56();

/** More than any socket takes for somebody who does not read. */
const VALUES = 24;
const VALUE_BYTES = 1_000_000;

/** A kingbus with a log of a MySQL 5.6 source. */
async function following(
  { values = 1, writeTimeoutMs }: Omit<Provocation, "provoke">,
): Promise<TestKingbus> {
  await source.run(LARGE_TABLE);
  for (let count = 0; count < values; count++) {
    await source.run(insertValue(VALUE_BYTES));
  }
  const kingbus = await TestKingbus.following(source, {
    server: {
      semiSync: { replicas: 0, timeoutMs: 1_000 },
      writeTimeoutMs,
    },
  });
  await kingbus.waitUntilHas(await executedOf(source.server));
  return kingbus;
}

/** A dump of the whole log that waits for more at its end. */
function openDump(
  kingbus: TestKingbus,
  options: DumpClientOptions = {},
): Promise<DumpClient> {
  return DumpClient.open(kingbus, { flags: 0, serverId: 7, ...options });
}

/** Has a dump end in one way. */
interface Provocation {
  /** Values of a megabyte that the log has. */
  readonly values?: number;
  /** How long a replica may take for what it is sent; a minute if absent. */
  readonly writeTimeoutMs?: number;
  readonly provoke: (kingbus: TestKingbus) => Promise<void>;
  /** Who ends besides. */
  readonly besides?: DumpOutcome;
}

/** Each way, of a real client that is sent a real source's log. */
const PROVOCATIONS: Readonly<
  Record<Exclude<DumpOutcome, "failed">, Provocation>
> = {
  "complete": {
    provoke: async (kingbus) => {
      await using whole = await openDump(kingbus, {
        flags: DumpFlag.NON_BLOCK,
      });
      assert((await whole.rest()).length > 3);
    },
  },
  "refused": {
    provoke: async (kingbus) => {
      await using refused = await openDump(kingbus, { fileName: "none.1" });
      await assertRejects(() => refused.rest(), ServerError);
    },
  },
  "client-gone": {
    provoke: async (kingbus) => {
      await using gone = await openDump(kingbus);
      await gone.next();
    },
  },
  "too-slow": {
    values: VALUES,
    writeTimeoutMs: 500,
    provoke: async (kingbus) => {
      await using _stuck = await openDump(kingbus);
      await ended(kingbus, "too-slow");
    },
  },
  "bad-acknowledgement": {
    provoke: async (kingbus) => {
      const { fileName, position } = kingbus.head;
      await using replica = await SemiSyncClient.open(kingbus, {
        fileName,
        position,
        serverId: 42,
      });
      await replica.next();
      // The file is not the one that it is in.
      await replica.acknowledge("other.000001", 4_000_000);
      await ended(kingbus, "bad-acknowledgement");
    },
  },
  "killed": {
    provoke: async (kingbus) => {
      await using killed = await openDump(kingbus);
      await killed.next();
      await using other = await kingbus.connect();
      await other.query(`KILL ${killed.connectionId}`);
      await ended(kingbus, "killed");
    },
  },
  "shutdown": {
    provoke: async (kingbus) => {
      await using dump = await openDump(kingbus);
      await dump.next();
      await kingbus.server.stop();
    },
  },
  "superseded": {
    provoke: async (kingbus) => {
      const uuid = "22222222-71ca-11e1-9e33-c80aa9429562";
      await using older = await openDump(kingbus, { uuid });
      await older.next();
      await using newer = await openDump(kingbus, { uuid });
      await newer.next();
      await ended(kingbus, "superseded");
    },
    besides: "client-gone",
  },
  "damaged": {
    values: 3,
    provoke: async (kingbus) => {
      await kingbus.stop();
      // Of the second value of three the last part is not there any more.
      const kv = await Deno.openKv(kingbus.databasePath);
      const blocks: bigint[] = [];
      for await (const { key } of kv.list({ prefix: ["block"] })) {
        blocks.push(key[1] as bigint);
      }
      await kv.delete(["block", blocks[Math.floor(0.6 * blocks.length)]!]);
      kv.close();
      await kingbus.resume();
      await using dump = await openDump(kingbus);
      await assertRejects(async () => {
        await dump.rest();
        throw new TypeError("The dump ended as if all was sent");
      });
      await ended(kingbus, "damaged");
    },
  },
};

async function ended(
  { server }: { readonly server: BinlogServer },
  outcome: DumpOutcome,
): Promise<void> {
  await waitUntil(
    `a dump ended: ${outcome}`,
    () => server.counters.dumpsEnded[outcome] > 0,
    { deadlineMs: 60_000 },
  );
}

/** The ways in which dumps have ended, with how many. */
function counted({ counters }: BinlogServer): Record<string, number> {
  return Object.fromEntries(
    DUMP_OUTCOMES.map((outcome) =>
      [outcome, counters.dumpsEnded[outcome]] as const
    ).filter(([, count]) => count > 0),
  );
}

for (
  const [outcome, { provoke, besides, ...made }] of Object.entries(
    PROVOCATIONS,
  )
) {
  Deno.test(`a dump that ends is counted: ${outcome}`, async () => {
    await using kingbus = await following(made);
    await provoke(kingbus);
    await ended(kingbus, outcome as DumpOutcome);
    if (besides !== undefined) await ended(kingbus, besides);
    assertEquals(counted(kingbus.server), {
      [outcome]: 1,
      ...besides === undefined ? {} : { [besides]: 1 },
    });
  });
}

Deno.test("a dump that ends is counted: failed", async () => {
  await using kingbus = await following({});
  // Only a bug ends a dump so: it is in the place of what sends the log.
  const server = new BinlogServer({
    store: kingbus.store,
    dumpHandler: { run: () => Promise.reject(new TypeError("a bug")) },
    log: silentLog(),
  });
  const { user, password } = REPLICATION_ACCOUNT;
  await server.start({
    hostname: "127.0.0.1",
    port: 0,
    accounts: [{ name: user, password }],
    identity: "own",
    connectionsMax: 5,
    loginTimeoutMs: 5_000,
  });
  try {
    const { listen } = server.status();
    const port = Number(listen.slice(listen.lastIndexOf(":") + 1));
    await using dump = await DumpClient.open({ port });
    await assertRejects(() => dump.next(), ServerError, "Internal error");
    await ended({ server }, "failed");
    assertEquals(counted(server), { failed: 1 });
  } finally {
    await server.stop();
  }
});

Deno.test("every way in which a dump can end is provoked", () => {
  assertEquals(
    [...Object.keys(PROVOCATIONS), "failed"].sort(),
    [...DUMP_OUTCOMES].sort(),
  );
});
