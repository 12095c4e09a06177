import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { NodeStatus } from "../../lib/admin/node_status.ts";
import { REPLICATION_ACCOUNT } from "../../scripts/test_servers/mysql56.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import { DumpClient, readDumpedFiles } from "../support/dump_client.ts";
import { KingbusProcess, runKingbus } from "../support/kingbus_process.ts";
import { SharedSource56 } from "../support/shared_mysql56.ts";
import { SmallDisk, smallDiskTest } from "../support/small_disk.ts";
import { assertSameBytes, readSourceFile } from "../support/source_file.ts";
import { binlogsOf, logEndOf } from "../support/sql_server.ts";
import { TEST_TABLE } from "../support/test_table.ts";

const MIB = 1024 * 1024;

const source = new SharedSource56();

/** Writes a configuration with its data on the disk, and answers its flag. */
async function configOn(disk: SmallDisk, folder: string): Promise<string> {
  const { user, password } = REPLICATION_ACCOUNT;
  const config = `${folder}/kingbus.yaml`;
  await Deno.writeTextFile(
    config,
    JSON.stringify({
      "data-dir": `${disk.path}/data`,
      server: { users: [{ name: user, password }] },
      source: { address: `127.0.0.1:${source.port}`, user, password },
    }),
  );
  return `--config=${config}`;
}

async function inFolder(
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kingbus-config-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function statusOf(kingbus: KingbusProcess): Promise<NodeStatus> {
  const { data } = await kingbus.ask("GET", "/status");
  return data as NodeStatus;
}

function portOf(kingbus: KingbusProcess): number {
  const { serverListen } = kingbus;
  return Number(serverListen.slice(serverListen.lastIndexOf(":") + 1));
}

/** Writes so many transactions of half a megabyte. */
async function write(transactions: number): Promise<void> {
  for (let count = 0; count < transactions; count++) {
    await source.run("INSERT INTO test.t (data) VALUES (REPEAT('x', 500000))");
  }
}

async function untilIt(
  kingbus: KingbusProcess,
  what: string,
  condition: (status: NodeStatus) => boolean,
): Promise<NodeStatus> {
  return await waitUntil(what, async () => {
    const status = await statusOf(kingbus);
    return condition(status) && status;
  }, { deadlineMs: 90_000, intervalMs: 50 });
}

/** Answers how many bytes kingbus serves; all are the source's. */
async function compareServed(kingbus: KingbusProcess): Promise<number> {
  let bytes = 0;
  for (
    const [name, served] of await readDumpedFiles({ port: portOf(kingbus) })
  ) {
    const whole = await readSourceFile(source.onDisk, name);
    assertSameBytes(name, served, whole.subarray(0, served.length));
    bytes += served.length;
  }
  return bytes;
}

await smallDiskTest(
  "a full disk stops ingest alone, and kingbus goes on by itself once there is space",
  async () => {
    await inFolder(async (folder) => {
      await using disk = await SmallDisk.mount(20 * MIB);
      await source.run(
        TEST_TABLE,
        "INSERT INTO test.t (data) VALUES ('one')",
      );
      await using kingbus = await KingbusProcess.start([
        await configOn(disk, folder),
      ]);
      await untilIt(kingbus, "kingbus had something", ({ syncer }) => {
        return syncer.executed_gtid_set.endsWith(":1-2");
      });
      // A replica that is connected all the time.
      await using replica = await DumpClient.open({ port: portOf(kingbus) }, {
        flags: 0,
        serverId: 9,
        heartbeatMs: 500,
      });
      await write(50);
      const full = await untilIt(kingbus, "the disk was full", ({ syncer }) => {
        return syncer.cause === "disk";
      });
      assertEquals(full.syncer.state, "waiting");
      const { reason = "" } = full.syncer;
      assertStringIncludes(reason, `${disk.path}/data/kingbus.db is full`);
      const served = await compareServed(kingbus);
      assert(served > 5 * MIB && served < 20 * MIB, `${served} bytes`);
      // It tries again and again, and serves what it has.
      await untilIt(kingbus, "it had tried again", ({ syncer }) => {
        return syncer.cause === "disk" &&
          syncer.attempts >= full.syncer.attempts + 2;
      });
      assert(await compareServed(kingbus) >= served);
      await source.run("FLUSH LOGS");
      await write(3);
      await disk.resize(400 * MIB);
      const executed = await source.executed();
      const { syncer } = await untilIt(
        kingbus,
        "it had everything",
        (status) => {
          return status.syncer.executed_gtid_set === executed;
        },
      );
      assertEquals(syncer.state, "following");
      const { fileName, position } = await logEndOf(source.server);
      await replica.logTo(fileName, position);
      const bytes = await compareServed(kingbus);
      const files = await binlogsOf(source.server);
      assertEquals(bytes, files.reduce((sum, { size }) => sum + size, 0));
      kingbus.signal("SIGTERM");
      assertEquals(await kingbus.ended(), 0);
    });
  },
);

await smallDiskTest(
  "kingbus stops in order while the disk is full, and has all that was acknowledged",
  async () => {
    await inFolder(async (folder) => {
      await using disk = await SmallDisk.mount(20 * MIB);
      await source.run(
        TEST_TABLE,
      );
      const config = await configOn(disk, folder);
      let before: string;
      {
        await using kingbus = await KingbusProcess.start([config]);
        await write(50);
        await untilIt(kingbus, "the disk was full", ({ syncer }) => {
          return syncer.cause === "disk";
        });
        before = (await statusOf(kingbus)).syncer.executed_gtid_set;
        kingbus.signal("SIGTERM");
        assertEquals(await kingbus.ended(), 0);
      }
      await disk.fill();
      const refused = await runKingbus(["serve", config]);
      assertEquals(refused.code, 1);
      assertStringIncludes(refused.stderr, `${disk.path}/data/kingbus.db`);
      assertStringIncludes(refused.stderr, "is full");
      await disk.resize(400 * MIB);
      await using kingbus = await KingbusProcess.start([config]);
      const { syncer } = await statusOf(kingbus);
      assert(syncer.executed_gtid_set.length >= before.length);
      const executed = await source.executed();
      await untilIt(kingbus, "it had everything", (status) => {
        return status.syncer.executed_gtid_set === executed;
      });
      await compareServed(kingbus);
    });
  },
);

await smallDiskTest("a read-only disk is refused with its path", async () => {
  await inFolder(async (folder) => {
    await using disk = await SmallDisk.mount(50 * MIB);
    const config = await configOn(disk, folder);
    const usual = ["--server-listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0"];
    {
      await using kingbus = await KingbusProcess.start([config]);
      kingbus.signal("SIGTERM");
      assertEquals(await kingbus.ended(), 0);
    }
    await disk.makeReadOnly();
    const { code, stderr } = await runKingbus(["serve", config, ...usual]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, `${disk.path}/data/kingbus.db`);
    assertStringIncludes(stderr, "read-only");
    await disk.makeReadOnly(false);
    await using _again = await KingbusProcess.start([config]);
  });
});

Deno.test("a store is refused with its path and holder, even when the holder hangs", async () => {
  await inFolder(async (folder) => {
    const flag = `--data-dir=${folder}/data`;
    await using kingbus = await KingbusProcess.start([flag]);
    kingbus.signal("SIGSTOP");
    try {
      const { code, stderr } = await runKingbus([
        "serve",
        flag,
        "--server-listen=127.0.0.1:0",
        "--admin-listen=127.0.0.1:0",
      ]);
      assertEquals(code, 1);
      assertStringIncludes(stderr, `${folder}/data/kingbus.db`);
      assertStringIncludes(stderr, `process ${kingbus.pid} has it open`);
    } finally {
      kingbus.signal("SIGCONT");
    }
    // It has lost nothing by that.
    assertEquals((await kingbus.ask("GET", "/healthz")).status, 200);
  });
});
