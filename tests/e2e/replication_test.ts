import { assert, assertEquals, assertMatch } from "@std/assert";
import { freePort } from "../../scripts/test_servers/free_port.ts";
import { REPLICATION_ACCOUNT } from "../../scripts/test_servers/mysql56.ts";
import type { RigProgram } from "../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import { type E2eSetting, e2eTest } from "../support/e2e_test.ts";
import type { Executable } from "../support/executable.ts";
import {
  type KingbusLaunch,
  KingbusProcess,
  runToEnd,
} from "../support/kingbus_process.ts";
import type { LaunchedServer } from "../support/launched_server.ts";
import { checkpointed } from "../support/mariadb_checkpoint.ts";
import { MariadbReplica } from "../support/mariadb_replica.ts";
import { SharedMariadb } from "../support/mariadb_source.ts";
import { RawCopy } from "../support/raw_copy.ts";
import {
  makeSemiSyncReplica,
  makeSemiSyncSource,
  semiSyncStatus,
} from "../support/semi_sync_plugin.ts";
import { SharedMysql97 } from "../support/shared_mysql97.ts";
import { assertSameCopies, readSourceFile } from "../support/source_file.ts";
import {
  binlogsOf,
  checksumTables,
  executedOf,
  logEndOf,
} from "../support/sql_server.ts";
import { TEST_TABLE } from "../support/test_table.ts";
import {
  MODERN_KINDS,
  TRANSACTION_KINDS,
} from "../support/transaction_kinds.ts";

const sources = new SharedMysql97(9791);
const replicas = new SharedMysql97(9792);
const mariadbSources = new SharedMariadb(9793);
const mariadbReplicas = new SharedMariadb(9794);

const { user, password } = REPLICATION_ACCOUNT;

/** What is not the same in all tests. */
interface Plan {
  readonly source: LaunchedServer;
  /** More lines of `server:`. */
  readonly server: string;
  /** More lines of `source:`. */
  readonly following: string;
}

const PLAIN = {
  server: "  tls: { mode: disabled }",
  following: "  tls: { mode: disabled }",
};

/** An executable with its configuration, and where it will be. */
class Node {
  readonly port = freePort();
  readonly admin = freePort();
  readonly launch: KingbusLaunch;

  constructor(executable: Executable, folder: string) {
    this.launch = executable.launch({
      cwd: folder,
      env: { KINGBUS_PASSWORD: password },
    });
  }

  static async in(
    executable: Executable,
    folder: string,
    { source, server, following }: Plan,
  ): Promise<Node> {
    const node = new Node(executable, folder);
    await Deno.writeTextFile(
      `${folder}/kingbus.yaml`,
      `admin: { listen: 127.0.0.1:${node.admin} }
server:
  listen: 127.0.0.1:${node.port}
  users: [{ name: ${user}, password-env: KINGBUS_PASSWORD }]
${server}
source:
  address: 127.0.0.1:${source.port}
  user: ${user}
  password-env: KINGBUS_PASSWORD
${following}
`,
    );
    return node;
  }

  start(): Promise<KingbusProcess> {
    return KingbusProcess.start([
      "--config=kingbus.yaml",
      `--server-listen=127.0.0.1:${this.port}`,
      `--admin-listen=127.0.0.1:${this.admin}`,
    ], this.launch);
  }

  /** Runs a command that has to succeed; answers what it printed. */
  async command(name: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await runToEnd(
      this.launch([name, "--config=kingbus.yaml", ...args]),
    );
    assertEquals(code, 0, `${name}: ${stderr}`);
    return stdout;
  }
}

/** Waits until it has all of the source's log. */
async function caughtUp(
  kingbus: KingbusProcess,
  source: LaunchedServer,
): Promise<void> {
  const { fileName, position } = await logEndOf(source);
  await waitUntil(`kingbus was at ${fileName}:${position}`, async () => {
    const { data } = await kingbus.ask("GET", "/status");
    const { syncer } = data as {
      syncer: { last_binlog_file: string; last_file_position: number };
    };
    return syncer.last_binlog_file === fileName &&
      syncer.last_file_position >= position;
  }, { deadlineMs: 60_000 });
}

/** The source's files as they are on its disk. */
async function filesOf(
  source: LaunchedServer,
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const { name } of await binlogsOf(source)) {
    files.set(name, await readSourceFile(source.onDisk, name));
  }
  return files;
}

/** What `mysqlbinlog --raw` or `mariadb-binlog --raw` copies from kingbus. */
async function rawCopies(
  program: RigProgram,
  port: number,
  first: string,
  ...more: string[]
): Promise<Map<string, Uint8Array>> {
  await using copy = await RawCopy.open(program, port);
  await copy.run(...more, "--read-from-remote-server", "--to-last-log", first);
  return copy.files();
}

/** Transactions of all kinds but the largest, and a second file. */
async function fill(source: LaunchedServer): Promise<void> {
  await source.run(TEST_TABLE);
  const kinds = { ...TRANSACTION_KINDS, ...MODERN_KINDS };
  for (const [kind, statements] of Object.entries(kinds)) {
    if (kind.includes("megabytes")) continue;
    await source.run(...statements);
  }
  await source.run("FLUSH LOGS", "INSERT INTO test.t (data) VALUES ('last')");
}

await e2eTest(
  "the executable stands between MySQL 9.7 servers, kill -9 included, and loses nothing",
  [
    "mysql97",
    "mysqlbinlog",
  ],
  async ({ executable, folder, rig }: E2eSetting) => {
    const source = await sources.asSource();
    const { server, replica } = await replicas.asReplica();
    const node = await Node.in(executable, folder, { source, ...PLAIN });
    await fill(source);
    {
      await using kingbus = await node.start();
      await replica.start({ port: node.port });
      await replica.waitUntilHas(await executedOf(source));
      await source.run(
        "INSERT INTO test.t (data) VALUES (REPEAT('x', 3000000))",
      );
      // whatever it has of that by now
      kingbus.signal("SIGKILL");
      await kingbus.ended();
    }
    await source.run("INSERT INTO test.t (data) VALUES ('meanwhile')");
    await using kingbus = await node.start();
    await source.run(
      "FLUSH LOGS",
      "INSERT INTO test.t (data) VALUES ('after')",
    );
    await replica.waitUntilHas(await executedOf(source));
    assertEquals(await checksumTables(server), await checksumTables(source));
    await replica.stop();
    await caughtUp(kingbus, source);
    assertSameCopies(
      await rawCopies(
        rig.program("mysqlbinlog"),
        node.port,
        "binlog.000001",
        "--ssl-mode=DISABLED",
        "--get-server-public-key",
      ),
      await filesOf(source),
    );
    const status = await node.command("status");
    assertMatch(status, /following/);
    kingbus.signal("SIGTERM");
    assertEquals(await kingbus.ended(), 0);
  },
);

await e2eTest(
  "the executable lists, verifies, exports, imports and purges its log",
  [
    "mysql97",
  ],
  async ({ executable, folder }) => {
    const source = await sources.asSource();
    const node = await Node.in(executable, folder, { source, ...PLAIN });
    await fill(source);
    const expected = await filesOf(source);
    {
      await using kingbus = await node.start();
      await caughtUp(kingbus, source);
      for (
        const [command, shown] of [
          ["config check", /./],
          ["files", /binlog\.000001/],
          ["replicas", /./],
          ["source status", /following/],
          ["completions bash", /kingbus/],
        ] as const
      ) {
        const [name = "", ...rest] = command.split(" ");
        const config = name === "completions" ? [] : ["--config=kingbus.yaml"];
        const { code, stdout, stderr } = await runToEnd(
          node.launch([name, ...rest, ...config]),
        );
        assertEquals(code, 0, `${command}: ${stderr}`);
        assertMatch(stdout, shown, command);
      }
      const events = await node.command("events", "--file=binlog.000001");
      assertMatch(events, /Format_desc/);
      await node.command("export", "--to=exported");
      await node.command("purge", "--to=binlog.000002");
      const left = await node.command("events", "--json");
      assert(left.includes('"file":"binlog.000002"'), left);
      kingbus.signal("SIGTERM");
      assertEquals(await kingbus.ended(), 0);
    }
    await node.command("verify");
    for (const [name, bytes] of expected) {
      assertSameCopies(
        new Map([[name, await Deno.readFile(`${folder}/exported/${name}`)]]),
        new Map([[name, bytes]]),
      );
    }
    const again = `${folder}/again`;
    await Deno.mkdir(again);
    await Deno.rename(`${folder}/exported`, `${again}/exported`);
    const other = await Node.in(executable, again, { source, ...PLAIN });
    await other.command("import", "exported");
    await other.command("verify");
    await using kingbus = await other.start();
    await source.run("INSERT INTO test.t (data) VALUES ('after the import')");
    await caughtUp(kingbus, source);
  },
);

await e2eTest(
  "the executable compresses in its worker, and passes semi-synchronous replication on",
  [
    "mysql97",
  ],
  async ({ executable, folder }) => {
    const source = await sources.asSource();
    const { server, replica } = await replicas.asReplica();
    await using _semiSync = await makeSemiSyncSource(source);
    await makeSemiSyncReplica(server);
    const node = await Node.in(executable, folder, {
      source,
      server: `${PLAIN.server}
  compression: [zlib]
  semi-sync: true
  wait-for-replicas: 1
  wait-timeout: 1h`,
      following: `${PLAIN.following}
  semi-sync: true
  compression: zlib`,
    });
    await using kingbus = await node.start();
    await replica.start({
      port: node.port,
      settings: ["SOURCE_COMPRESSION_ALGORITHMS = 'zlib'"],
    });
    // The source answers once the replica behind kingbus has it.
    await source.run(
      TEST_TABLE,
      ...Array<string>(30).fill(
        "INSERT INTO test.t (data) VALUES (REPEAT('some text ', 30000))",
      ),
    );
    await replica.waitUntilHas(await executedOf(source));
    assertEquals(await checksumTables(server), await checksumTables(source));
    const counts = await semiSyncStatus(source);
    assert(Number(counts.yes_tx) >= 30, Deno.inspect(counts));
    assertEquals(counts.no_tx, "0");
    const { data } = await kingbus.ask("GET", "/binlog/server/status");
    const [slave] = (data as { slaves: { compression: string }[] }).slaves;
    assertEquals(slave?.compression, "zlib", Deno.inspect(data));
    await replica.stop();
  },
);

await e2eTest(
  "the executable speaks TLS with its own certificate and zstd between MySQL 9.7 servers",
  [
    "mysql97",
  ],
  async ({ executable, folder }) => {
    const source = await sources.asSource();
    const { server, replica } = await replicas.asReplica();
    const node = await Node.in(await executable.whole(), folder, {
      source,
      server: "  tls: { mode: required }\n  compression: [zstd]",
      following: "  tls: { mode: required }\n  compression: zstd",
    });
    await fill(source);
    await using kingbus = await node.start();
    const ca = "kingbus-e2e-ca.pem";
    await Deno.copyFile(
      `${folder}/data/tls/ca.pem`,
      `${server.onDisk.binlogFolder}/${ca}`,
    );
    await replica.start({
      port: node.port,
      settings: [
        "SOURCE_SSL = 1",
        `SOURCE_SSL_CA = '${ca}'`,
        "SOURCE_SSL_VERIFY_SERVER_CERT = 1",
        "SOURCE_COMPRESSION_ALGORITHMS = 'zstd'",
        "SOURCE_ZSTD_COMPRESSION_LEVEL = 7",
      ],
    });
    await replica.waitUntilHas(await executedOf(source));
    assertEquals(await checksumTables(server), await checksumTables(source));
    await replica.stop();
    kingbus.signal("SIGTERM");
    assertEquals(await kingbus.ended(), 0);
  },
);

await e2eTest(
  "the executable stands between MariaDB servers, kill -9 included",
  [
    "mariadb",
    "mariadb-binlog",
  ],
  async ({ executable, folder, rig }) => {
    const source = await mariadbSources.fresh();
    const target = await mariadbReplicas.fresh();
    const replica = new MariadbReplica(target);
    await replica.reset();
    const node = await Node.in(executable, folder, { source, ...PLAIN });
    await source.run("CREATE TABLE test.m (id INT PRIMARY KEY, data LONGTEXT)");
    {
      await using kingbus = await node.start();
      await replica.start({ port: node.port, settings: ["MASTER_SSL = 0"] });
      await source.run("INSERT INTO test.m VALUES (1, REPEAT('x', 3000000))");
      kingbus.signal("SIGKILL");
      await kingbus.ended();
    }
    await using kingbus = await node.start();
    await source.run("FLUSH LOGS", "INSERT INTO test.m VALUES (2, 'after')");
    await replica.waitUntilHasAllOf(source);
    const sums = [await checksumTables(target), await checksumTables(source)];
    const [found, expected] = sums.map((all) => all["`test`.`m`"]);
    assert(expected?.includes("2 rows"), expected);
    assertEquals(found, expected);
    await replica.stop();
    await checkpointed(source);
    await caughtUp(kingbus, source);
    assertSameCopies(
      await rawCopies(
        rig.program("mariadb-binlog"),
        node.port,
        "binlog.000001",
        "--skip-ssl",
      ),
      await filesOf(source),
    );
  },
);
