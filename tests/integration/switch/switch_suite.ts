import { listBinlogPaths } from "../../../lib/import/binlog_path.ts";
import { importFiles } from "../../../lib/import/import_files.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { freePort } from "../../../scripts/test_servers/free_port.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { assertSound } from "../../support/assert_sound.ts";
import { readDumpedFiles } from "../../support/dump_client.ts";
import { KingbusProcess, runKingbus } from "../../support/kingbus_process.ts";
import { LOAD_TABLE, LoadWriter } from "../../support/load_writer.ts";
import type { Member, ServerGroup } from "../../support/server_group.ts";
import {
  assertSameBytes,
  assertSameFiles,
  readSourceFile,
} from "../../support/source_file.ts";
import {
  binlogsOf,
  checksumTables,
  executedOf,
  logEndOf,
  valueOf,
} from "../../support/sql_server.ts";
import { SeededRandom } from "../../support/seeded_random.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { MODERN_KINDS } from "../../support/transaction_kinds.ts";

/** Registers a test, or says why it is skipped. */
export type RegisterTest = (
  name: string,
  body: () => Promise<void>,
) => void | Promise<void>;

const MORE = "INSERT INTO test.t (data) VALUES ('more')";

/** Waits until the server has all GTIDs, then stands alone. */
async function promoteWith(b: Member, executed: string): Promise<void> {
  await b.replica.waitUntilHas(executed);
  await b.promote();
}

/** Waits until kingbus follows that server. */
async function waitUntilFollowing(
  kingbus: TestKingbus,
  member: { readonly port: number },
): Promise<void> {
  await waitUntil(
    `kingbus followed port ${member.port}: ${Deno.inspect(kingbus.status)}`,
    () => {
      const { state, source } = kingbus.status;
      return state === "following" &&
        source?.address === `127.0.0.1:${member.port}`;
    },
    { deadlineMs: 60_000 },
  );
}

/** A candidate of kingbus, as its status has it. */
function candidate(kingbus: TestKingbus, member: Member) {
  return kingbus.status.candidates?.find(({ address }) =>
    address === `127.0.0.1:${member.port}`
  );
}

/** Compares rows and GTIDs of the two, once the second one has them. */
async function assertSameData(from: Member, to: Member): Promise<void> {
  const executed = await from.executed();
  await to.replica.waitUntilHas(executed);
  assertEquals(
    await checksumTables(to.server),
    await checksumTables(from.server),
  );
  assertEquals(await to.executed(), executed);
}

/** Compares the files that were taken as they are with the server's own. */
async function assertSameWholeFiles(
  kingbus: TestKingbus,
  member: Member,
): Promise<number> {
  const uuid = await valueOf(member.server, "SELECT @@server_uuid");
  const served = await readDumpedFiles({ port: kingbus.port });
  assertEquals([...served.keys()], kingbus.store.files.map(({ name }) => name));
  let compared = 0;
  for (const file of kingbus.store.files) {
    if (file.serverUuid !== uuid || file.spliced) continue;
    const source = { server: member.server, binlogFolder: member.binlogFolder };
    const expected = await readSourceFile(source, file.sourceName);
    const actual = served.get(file.name)!;
    // only the rotate at its end leads elsewhere
    const length = file.closed && file.name !== file.sourceName
      ? expected.length - 60
      : expected.length;
    assertSameBytes(
      file.name,
      actual.subarray(0, length),
      expected.subarray(0, length),
    );
    assertEquals(actual.length, expected.length, file.name);
    compared += 1;
  }
  return compared;
}

/** Registers the tests of changing the source for a generation of servers. */
export async function switchSuite(
  title: string,
  group: ServerGroup,
  test: RegisterTest,
): Promise<void> {
  await test(`${title}: kingbus follows the promoted replica of a source that crashed`, async () => {
    const { a, b, c } = await group.fresh();
    await b.replica.start({ port: a.port });
    await using kingbus = await TestKingbus.start();
    await kingbus.follow(a, {
      candidates: [{ hostname: "127.0.0.1", port: b.port }],
      switchAfterMs: 300,
    });
    await a.run(LOAD_TABLE);
    await c.replica.start({ port: kingbus.port });
    {
      await using load = new LoadWriter(a.server, 1);
      await load.more(100);
    }
    const executed = await a.executed();
    await kingbus.waitUntilHas(executed);
    await b.replica.waitUntilHas(executed);
    const [dump] = await kingbus.waitUntilDumping(1);
    await a.server.kill();
    await promoteWith(b, executed);
    await waitUntilFollowing(kingbus, b);
    assertEquals(candidate(kingbus, a)?.cause, "unreachable");
    assertEquals(candidate(kingbus, b)?.followed, true);
    {
      await using load = new LoadWriter(b.server, 2);
      await load.more(60);
      // in the middle of a spliced file, and then of whole ones
      await kingbus.syncer.stop();
      await load.more(20);
      await kingbus.follow(b);
      await load.more(20);
    }
    await b.run("FLUSH LOGS", MORE, "FLUSH LOGS", MORE);
    await assertSameData(b, c);
    const [still] = await kingbus.waitUntilDumping(1);
    assertEquals(still!.connectionId, dump!.connectionId);
    await kingbus.stop();
    await b.run(MORE, "FLUSH LOGS", MORE);
    await kingbus.resume();
    await assertSameData(b, c);
    assert(await assertSameWholeFiles(kingbus, b) > 2);
    await assertSound(kingbus);
    const names = kingbus.store.files.map(({ name }) => name);
    assertEquals(new Set(names).size, names.length);
    assertEquals(names.toSorted(), names);
  });

  await test(`${title}: a replica by position goes on through the change`, async () => {
    const { a, b, c } = await group.fresh();
    await b.replica.start({ port: a.port });
    await a.run(LOAD_TABLE, MORE, "FLUSH LOGS", MORE);
    await using kingbus = await TestKingbus.following(a);
    await kingbus.waitUntilHas(await a.executed());
    const from = { fileName: kingbus.store.files[0]!.name, position: 4 };
    await c.replica.start({ port: kingbus.port, from });
    await assertSameData(a, c);
    await promoteWith(b, await a.executed());
    await kingbus.syncer.stop();
    await kingbus.follow(b);
    await b.run(MORE);
    await assertSameData(b, c);
    await b.run("FLUSH LOGS", MORE);
    await assertSameData(b, c);
    await c.replica.stop();
    await b.run(MORE, "FLUSH LOGS", MORE);
    await c.replica.resume();
    await assertSameData(b, c);
    const { fileName, position } = kingbus.head;
    await c.replica.waitUntilAt(fileName, position);
    assert(await assertSameWholeFiles(kingbus, b) > 1);
    await assertSound(kingbus);
  });

  await test(`${title}: an errant transaction on the new source is refused`, async () => {
    const { a, b } = await group.fresh();
    await b.replica.start({ port: a.port });
    await a.run(LOAD_TABLE, MORE);
    await b.replica.waitUntilHas(await a.executed());
    await b.run("INSERT INTO test.t (id, data) VALUES (1000, 'errant')");
    const uuid = await valueOf(b.server, "SELECT @@server_uuid");
    await a.run(MORE);
    await using kingbus = await TestKingbus.following(a);
    await kingbus.waitUntilHas(await a.executed());
    await promoteWith(b, await a.executed());
    await kingbus.syncer.stop();
    for (const place of ["one file", "files before"]) {
      await kingbus.follow(b);
      const { cause, reason = "" } = await kingbus.waitUntilState("failed");
      assertEquals(cause, "errant", `errant in ${place}: ${reason}`);
      assertStringIncludes(reason, `${uuid}:1.`);
      assertEquals(kingbus.executed, await a.executed());
      // what comes after the log's end is nothing errant
      await b.run(MORE, "FLUSH LOGS", MORE);
    }
    await kingbus.follow(a);
    await a.run(MORE);
    await kingbus.waitUntilHas(await a.executed());
  });

  await test(`${title}: what the new source did after the log's end is followed`, async () => {
    const { a, b } = await group.fresh();
    await b.replica.start({ port: a.port });
    await a.run(LOAD_TABLE, MORE);
    await using kingbus = await TestKingbus.following(a);
    await kingbus.waitUntilHas(await a.executed());
    await kingbus.syncer.stop();
    // b has of the old source what kingbus does not have, then its own
    await a.run(MORE, "FLUSH LOGS", MORE);
    await promoteWith(b, await a.executed());
    await b.run(MORE, "FLUSH LOGS", MORE);
    await kingbus.follow(b);
    await kingbus.waitUntilHas(await b.executed());
    assertEquals(kingbus.executed, await b.executed());
    assert(kingbus.store.files.some(({ spliced }) => spliced));
    const { fileName, position } = await logEndOf(b.server);
    const newest = kingbus.store.files.at(-1)!;
    assertEquals(newest.sourceName, fileName);
    assertEquals(newest.size, position);
    await assertSound(kingbus);
  });

  await test(`${title}: a new source that lacks something is refused until it has it`, async () => {
    const { a, b } = await group.fresh();
    await b.replica.start({ port: a.port });
    await a.run(LOAD_TABLE, MORE);
    await b.replica.waitUntilHas(await a.executed());
    await b.replica.stop();
    await a.run(MORE);
    await using kingbus = await TestKingbus.start();
    const candidates = [{ hostname: "127.0.0.1", port: b.port }];
    await kingbus.follow(a, { candidates, switchAfterMs: 0 });
    const executed = await a.executed();
    await kingbus.waitUntilHas(executed);
    await a.server.kill();
    // the crashed source had sent more to kingbus than to b
    await b.promote();
    await b.run("INSERT INTO test.t (id, data) VALUES (1000, 'other')");
    const { reason = "" } = await waitUntil("b was refused", () => {
      const status = candidate(kingbus, b);
      return status?.cause === "behind" ? status : false;
    }, { deadlineMs: 60_000 });
    const uuid = await valueOf(b.server, "SELECT @@server_uuid");
    assertStringIncludes(reason, "lacks transactions that the log has");
    assertStringIncludes(reason, "It is no replica");
    assert(!reason.includes(`${uuid}:1`));
    assertEquals(kingbus.executed, executed);
    // back to the first one when it is back
    await a.server.restart();
    await waitUntilFollowing(kingbus, a);
    await a.run(MORE);
    await kingbus.waitUntilHas(await a.executed());
    assertEquals(kingbus.executed, await a.executed());
  });

  await test(`${title}: kingbus waits for a new source that catches up`, async () => {
    const { a, b } = await group.fresh();
    await b.replica.start({ port: a.port });
    await a.run(LOAD_TABLE, MORE);
    await b.replica.waitUntilHas(await a.executed());
    await b.run("STOP SLAVE SQL_THREAD").catch(() =>
      b.run("STOP REPLICA SQL_THREAD")
    );
    await a.run(MORE);
    await using kingbus = await TestKingbus.following(a);
    const executed = await a.executed();
    await kingbus.waitUntilHas(executed);
    await kingbus.syncer.stop();
    await kingbus.follow(b);
    const { reason = "" } = await waitUntil(
      "b was behind",
      () => kingbus.status.cause === "behind" ? kingbus.status : false,
    );
    assertStringIncludes(reason, "may still get them");
    await b.replica.resume();
    await waitUntilFollowing(kingbus, b);
    await promoteWith(b, executed);
    await b.run(MORE);
    await kingbus.waitUntilHas(await b.executed());
  });

  await test(`${title}: the old source is gone back to, and what it alone has is not`, async () => {
    const { a, b, c } = await group.fresh();
    await b.replica.start({ port: a.port });
    await a.run(LOAD_TABLE, MORE);
    await using kingbus = await TestKingbus.following(a);
    await kingbus.waitUntilHas(await a.executed());
    await c.replica.start({ port: kingbus.port });
    await promoteWith(b, await a.executed());
    await kingbus.syncer.stop();
    await kingbus.follow(b);
    await b.run(MORE);
    await kingbus.waitUntilHas(await b.executed());
    // the old source becomes the replica of the new one
    await a.replica.start({ port: b.port });
    await promoteWith(a, await b.executed());
    await kingbus.syncer.stop();
    await kingbus.follow(a);
    await a.run(MORE, "FLUSH LOGS", MORE);
    await assertSameData(a, c);
    const names = kingbus.store.files.map(({ name }) => name);
    assertEquals(new Set(names).size, names.length);
    // and what a alone has, before what comes from b again, is errant
    await b.replica.start({ port: a.port });
    await promoteWith(b, await a.executed());
    await kingbus.syncer.stop();
    await a.run("INSERT INTO test.t (id, data) VALUES (2000, 'alone')");
    await kingbus.follow(b);
    await b.run(MORE);
    await kingbus.waitUntilHas(await b.executed());
    await a.replica.start({ port: b.port });
    await a.replica.waitUntilHas(await b.executed());
    await kingbus.syncer.stop();
    await kingbus.follow(a);
    const { cause } = await kingbus.waitUntilState("failed");
    assertEquals(cause, "errant");
    await kingbus.follow(b);
    await b.run(MORE);
    await assertSameData(b, c);
    await assertSound(kingbus);
  });

  await test(`${title}: events of more than 16 MB are moved to their new places`, async () => {
    const { a, b, c } = await group.fresh();
    for (const { server } of [a, b, c]) {
      await server.query("SET GLOBAL max_allowed_packet = 67108864");
    }
    await b.replica.start({ port: a.port });
    await a.run(
      LOAD_TABLE,
      MORE,
      "CREATE TABLE test.l (data LONGBLOB) ENGINE=MyISAM",
    );
    await using kingbus = await TestKingbus.following(a);
    await kingbus.waitUntilHas(await a.executed());
    await c.replica.start({ port: kingbus.port });
    await promoteWith(b, await a.executed());
    await kingbus.syncer.stop();
    await kingbus.follow(b);
    // connections made before the setting have the old one
    await using connection = await b.server.connect();
    for (const bytes of [70_000, 17_000_000, 3_000_000]) {
      await connection.query(
        `INSERT INTO test.l VALUES (REPEAT('x', ${bytes}))`,
      );
    }
    await kingbus.waitUntilHas(await executedOf(b.server));
    assert(kingbus.store.files.at(-1)!.spliced);
    await assertSound(kingbus);
    await assertSameData(b, c);
    await b.run("FLUSH LOGS", MORE);
    await assertSameData(b, c);
    assertEquals(kingbus.store.files.at(-1)!.spliced, false);
    assertEquals(
      kingbus.store.files.at(-1)!.sourceName,
      (await binlogsOf(b.server)).at(-1)!.name,
    );
  });

  await test(`${title}: the change goes on after breaks at any place`, async () => {
    const { a, b, c } = await group.fresh();
    await b.replica.start({ port: a.port });
    await a.run(LOAD_TABLE, MORE);
    await using kingbus = await TestKingbus.following(a);
    await kingbus.waitUntilHas(await a.executed());
    await c.replica.start({ port: kingbus.port });
    await promoteWith(b, await a.executed());
    await kingbus.syncer.stop();
    await using proxy = new TcpProxy({ port: b.port });
    proxy.pieceBytesMax = 1000;
    await kingbus.follow(proxy, { heartbeatMs: 200, readTimeoutMs: 2000 });
    await using connection = await b.server.connect();
    for (let round = 0; round < 5; round++) {
      await waitUntilFollowing(kingbus, proxy);
      const { bytesReceived } = kingbus.status;
      const { connections } = proxy;
      const bytes = 15_000 + 61_000 * round;
      proxy.silenceAfter(bytes);
      await connection.query("BEGIN");
      for (let row = 0; row < 5; row++) {
        await connection.query(
          `INSERT INTO test.t (data) VALUES (REPEAT('x', ${30_000 * row + 1}))`,
        );
      }
      await connection.query("COMMIT");
      await waitUntil("a part of the transaction was there", () => {
        return kingbus.status.bytesReceived > bytesReceived + bytes - 5000;
      });
      if (round === 3) await b.run("FLUSH LOGS");
      proxy.cut();
      proxy.speak();
      await waitUntil("it came again", () => proxy.connections > connections);
    }
    await assertSameData(b, c);
    await assertSound(kingbus);
    const spliced = kingbus.store.files.filter((file) => file.spliced);
    assertEquals(spliced.length, 1);
    assert(proxy.connections > 5);
  });

  await test(`${title}: a new source with other checksums is followed`, async () => {
    const { a, b, c } = await group.fresh();
    for (const algorithm of ["NONE", "CRC32"]) {
      await a.run(`SET GLOBAL binlog_checksum = ${algorithm}`);
    }
    await b.replica.start({ port: a.port });
    await a.run(LOAD_TABLE, MORE);
    await using kingbus = await TestKingbus.following(a);
    await kingbus.waitUntilHas(await a.executed());
    await c.replica.start({ port: kingbus.port });
    await b.replica.waitUntilHas(await a.executed());
    try {
      // begins a file, so that the next transaction is in its middle
      await b.run("SET GLOBAL binlog_checksum = NONE");
      await a.run(MORE);
      await promoteWith(b, await a.executed());
      await kingbus.waitUntilHas(await a.executed());
      await kingbus.syncer.stop();
      await kingbus.follow(b);
      await b.run(MORE);
      await assertSameData(b, c);
      assertEquals(kingbus.store.files.at(-1)!.spliced, true);
      assertEquals(kingbus.store.files.at(-1)!.checksumAlgorithm, "none");
    } finally {
      await b.run("SET GLOBAL binlog_checksum = CRC32");
    }
    await b.run(MORE);
    await assertSameData(b, c);
    assertEquals(kingbus.store.files.at(-1)!.spliced, false);
    await assertSound(kingbus);
  });

  await test(`${title}: a kingbus that is killed again and again follows through the change`, async () => {
    const { a, b, c } = await group.fresh();
    await b.replica.start({ port: a.port });
    await a.run(LOAD_TABLE, MORE);
    await withFolder(async (folder) => {
      const port = freePort();
      const config = `${folder}/kingbus.yaml`;
      await Deno.writeTextFile(
        config,
        `data-dir: ${folder}/data
server:
  users: [{ name: repl, password: replpass }]
source:
  address: 127.0.0.1:${a.port}
  candidates: ["127.0.0.1:${a.port}", "127.0.0.1:${b.port}"]
  switch-after: 200ms
  user: repl
  password: replpass
  heartbeat: 500ms
`,
      );
      const random = new SeededRandom(31);
      const args = [`--config=${config}`, `--server-listen=127.0.0.1:${port}`];
      const start = () => KingbusProcess.start(args);
      let kingbus = await start();
      try {
        const executed = await a.executed();
        await c.replica.start({ port });
        await c.replica.waitUntilHas(executed);
        await a.server.kill();
        await promoteWith(b, executed);
        // in a spliced file at first, in whole ones later
        await using load = new LoadWriter(b.server, 3);
        for (let round = 0; round < 8; round++) {
          await load.more(random.integer(1, 30));
          if (round === 4) await b.run("FLUSH LOGS");
          kingbus.signal("SIGKILL");
          await kingbus[Symbol.asyncDispose]();
          kingbus = await start();
        }
        await load.more(10);
        await load[Symbol.asyncDispose]();
        await assertSameData(b, c);
        const { data } = await kingbus.ask("GET", "/binlog/syncer/status");
        const { candidates } = data as {
          candidates: { mysql_addr: string; followed: boolean }[];
        };
        assertEquals(
          candidates.map(({ mysql_addr, followed }) => [mysql_addr, followed]),
          [
            [`127.0.0.1:${a.port}`, false],
            [`127.0.0.1:${b.port}`, true],
          ],
        );
        const verify = await runKingbus(["verify", `--config=${config}`]);
        assertEquals(verify.code, 0, verify.stdout + verify.stderr);
      } finally {
        await kingbus[Symbol.asyncDispose]();
      }
    });
  });

  await test(`${title}: what was imported from an unknown server goes on with it, or by GTID`, async () => {
    const { a, b } = await group.fresh();
    await b.replica.start({ port: a.port });
    await a.run(LOAD_TABLE, MORE, "FLUSH LOGS", MORE);
    const executed = await a.executed();
    await b.replica.waitUntilHas(executed);
    const paths = (await binlogsOf(a.server)).map(({ name }) =>
      `${a.binlogFolder}/${name}`
    );
    const files = await listBinlogPaths(paths);
    await using one = await TestKingbus.start();
    await using other = await TestKingbus.start();
    for (const { store } of [one, other]) {
      await importFiles(store, files, { serverUuid: "", acceptTornEnd: true });
      assertEquals(store.head!.executed.toString(), executed);
    }
    await one.follow(a, { serverId: 4712, uuid: crypto.randomUUID() });
    await a.run(MORE, "FLUSH LOGS", MORE);
    await assertSameFiles(one, a);
    const uuid = await valueOf(a.server, "SELECT @@server_uuid");
    assertEquals(one.store.files.at(-1)!.serverUuid, uuid);
    await promoteWith(b, await a.executed());
    await other.follow(b);
    await b.run(MORE, "FLUSH LOGS", MORE);
    await other.waitUntilHas(await b.executed());
    assert(other.store.files.some(({ spliced }) => spliced));
    await assertSound(one);
    await assertSound(other);
  });

  await test(`${title}: a new source whose file numbers are higher keeps its names`, async () => {
    const { a, b, c } = await group.fresh();
    await b.replica.start({ port: a.port });
    await a.run(LOAD_TABLE, MORE);
    if (title !== "5.6") await a.run(...MODERN_KINDS["tagged GTIDs"]!);
    await using kingbus = await TestKingbus.following(a);
    await kingbus.waitUntilHas(await a.executed());
    await c.replica.start({ port: kingbus.port });
    await promoteWith(b, await a.executed());
    for (let file = 0; file < 5; file++) await b.run("FLUSH LOGS");
    await kingbus.syncer.stop();
    await kingbus.follow(b);
    await b.run(MORE, "FLUSH LOGS", MORE);
    await assertSameData(b, c);
    const uuid = await valueOf(b.server, "SELECT @@server_uuid");
    const served = await readDumpedFiles({ port: kingbus.port });
    const files = kingbus.store.files.filter((one) => one.serverUuid === uuid);
    assertEquals(
      files.map(({ name }) => name),
      ["binlog.000006", "binlog.000007"],
    );
    for (const { name } of files) {
      const source = { server: b.server, binlogFolder: b.binlogFolder };
      const expected = await readSourceFile(source, name);
      assertSameBytes(name, served.get(name)!, expected);
    }
    await assertSound(kingbus);
  });

  await test(`${title}: the admin API changes the source while it is followed`, async () => {
    const { a, b } = await group.fresh();
    await b.replica.start({ port: a.port });
    await a.run(LOAD_TABLE, MORE);
    await withFolder(async (folder) => {
      const account = { mysql_user: "repl", mysql_password: "replpass" };
      const start = () => KingbusProcess.start([`--data-dir=${folder}/data`]);
      const addressOf = ({ port }: Member) => `127.0.0.1:${port}`;
      const stateOf = async (kingbus: KingbusProcess) => {
        const { data } = await kingbus.ask("GET", "/binlog/syncer/status");
        return data as Record<string, string>;
      };
      const follow = (kingbus: KingbusProcess, member: Member) =>
        kingbus.ask("PUT", "/binlog/syncer/start", {
          mysql_addr: addressOf(member),
          ...account,
        });
      const has = (kingbus: KingbusProcess, executed: string) =>
        waitUntil(`kingbus had ${executed}`, async () => {
          const { executed_gtid_set = "" } = await stateOf(kingbus);
          return executed_gtid_set === executed;
        });
      {
        await using kingbus = await start();
        assertEquals((await follow(kingbus, a)).status, 200);
        await has(kingbus, await a.executed());
        assertEquals((await follow(kingbus, a)).status, 409);
        await promoteWith(b, await a.executed());
        assertEquals((await follow(kingbus, b)).status, 200);
        await b.run(MORE);
        await has(kingbus, await b.executed());
        kingbus.signal("SIGKILL");
      }
      await using kingbus = await start();
      await b.run(MORE, "FLUSH LOGS", MORE);
      await has(kingbus, await b.executed());
      assertEquals((await stateOf(kingbus)).mysql_addr, addressOf(b));
      // back to the old one, which lacks what came since: refused, and said
      assertEquals((await follow(kingbus, a)).status, 200);
      const { reason } = await waitUntil("a was refused", async () => {
        const status = await stateOf(kingbus);
        return status.cause === "behind" ? status : false;
      });
      assertStringIncludes(reason!, "lacks transactions that the log has");
    });
  });
}

async function withFolder(
  run: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kingbus-switch-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
