import { assert, assertEquals } from "@std/assert";
import type { Mysql56 } from "../../../scripts/test_servers/mysql56.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { DumpClient, readDump } from "../../support/dump_client.ts";
import { SeededRandom } from "../../support/seeded_random.ts";
import {
  SharedReplica56,
  SharedSource56,
} from "../../support/shared_mysql56.ts";
import { assertSameFiles } from "../../support/source_file.ts";
import { checksumTables } from "../../support/sql_server.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";

const source = new SharedSource56();
const replica = new SharedReplica56();

/** Writes transactions of all sizes on a connection of its own until told. */
class Writer implements AsyncDisposable {
  readonly #random: SeededRandom;
  readonly #done: Promise<void>;
  #stopping = false;
  transactions = 0;

  constructor(server: Mysql56, seed: number) {
    this.#random = new SeededRandom(seed);
    this.#done = this.#write(server);
  }

  /** Waits until it has written so many more. */
  async more(count: number): Promise<void> {
    const wanted = this.transactions + count;
    await waitUntil(`${count} more transactions were written`, () => {
      return this.transactions >= wanted;
    }, { intervalMs: 1 });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#done;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #write(server: Mysql56): Promise<void> {
    await using connection = await server.connect();
    while (!this.#stopping) {
      for (const sql of this.#transaction()) await connection.query(sql);
      this.transactions += 1;
    }
  }

  #transaction(): string[] {
    const random = this.#random;
    const bytes = random.pick([1, 10, 100, 1000, 70_000]);
    if (random.chance(0.02)) return ["FLUSH LOGS"];
    if (random.chance(0.1)) {
      return ["UPDATE test.t SET n = n + 1 WHERE id % 7 = 0"];
    }
    const rows = Array.from(
      { length: random.integer(1, 4) },
      () => `INSERT INTO test.t (data) VALUES (REPEAT('x', ${bytes}))`,
    );
    const end = random.chance(0.1) ? "ROLLBACK" : "COMMIT";
    return ["BEGIN", ...rows, end];
  }
}

const TABLE =
  "CREATE TABLE test.t (id INT AUTO_INCREMENT PRIMARY KEY, n INT DEFAULT 0, data LONGBLOB)";

Deno.test("a replica gets every transaction through breaks of every connection under load", async () => {
  await source.run(TABLE);
  await using upstream = new TcpProxy(source);
  await using kingbus = await TestKingbus.following(upstream);
  await using downstream = new TcpProxy(kingbus);
  await replica.replica.start({ port: downstream.port });
  const seed = Number(Deno.env.get("KINGBUS_SEED") ?? 56);
  const random = new SeededRandom(seed);
  {
    await using first = new Writer(source.server, seed);
    await using _second = new Writer(source.server, seed + 1);
    const faults = [
      () => upstream.cut(),
      () => downstream.cut(),
      async () => {
        await kingbus.syncer.stop();
        await kingbus.follow(upstream);
      },
      async () => {
        await kingbus.stop();
        await kingbus.resume();
      },
    ];
    for (let round = 0; round < 12; round++) {
      await first.more(random.integer(1, 40));
      await random.pick(faults)();
    }
    await first.more(20);
  }
  await replica.replica.waitUntilHas(await source.executed());
  assertEquals(
    await checksumTables(replica.server),
    await checksumTables(source.server),
    `seed ${seed}`,
  );
  await assertSameFiles(kingbus, source.onDisk);
});

Deno.test("a replica that does not read delays only itself", async () => {
  await source.run(TABLE);
  await using kingbus = await TestKingbus.following(source);
  await source.run(
    `INSERT INTO test.t (data) VALUES ${
      Array.from({ length: 200 }, () => "(REPEAT('x', 3000))").join(", ")
    }`,
    ...Array.from(
      { length: 30 },
      () => "INSERT INTO test.t (data) SELECT data FROM test.t LIMIT 200",
    ),
  );
  await kingbus.waitUntilHas(await source.executed());
  const { position } = kingbus.head;
  await using slow = await DumpClient.open(kingbus, {
    flags: 0,
    serverId: 88,
  });
  const [before] = await waitUntil("its dump had begun", () => {
    return kingbus.replicas[0]?.bytesSent ? kingbus.replicas : false;
  });
  for (let round = 0; round < 3; round++) {
    assert((await readDump(kingbus)).length > 100);
  }
  await source.run("INSERT INTO test.t (data) VALUES ('more')");
  await kingbus.waitUntilHas(await source.executed());
  // what the sockets hold has gone out to it, and no more
  assert(Number(before!.bytesSent) < position / 2);
  assert(Number(kingbus.replicas[0]!.bytesSent) < position / 2);
  await slow.readTo(kingbus.head.position);
});
