import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  APPLICATION_ACCOUNT,
  REPLICATION_ACCOUNT,
} from "../../../scripts/test_servers/mysql56.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { columnTypeStatements } from "../../support/column_types.ts";
import { assertSameConversations } from "../../support/recorded_pair.ts";
import { logEndOf, runAll, type SqlServer } from "../../support/sql_server.ts";
import { type ServerAddress, TestKingbus } from "../../support/test_kingbus.ts";
import {
  type Login,
  ZongjiClient,
  type ZongjiPackage,
  type ZongjiStart,
} from "../../support/zongji_client.ts";

/** A source, and how tests that need it are registered. */
export interface CdcSource {
  /** What to call it. */
  readonly title: string;
  /** Whether it has JSON, and can log the columns of tables. */
  readonly modern: boolean;
  test(name: string, body: () => Promise<void>): void | Promise<void>;
  /** The source, as good as new. */
  fresh(): Promise<SqlServer & ServerAddress>;
  /** Waits until the source has nothing more to write by itself. */
  settle?(server: SqlServer): Promise<void>;
}

const PACKAGES: readonly ZongjiPackage[] = [
  "@vlasky/zongji",
  "@powersync/mysql-zongji",
];

/** Server id of the clients. */
const SERVER_ID = 5150;

/** Registers the tests of both packages against kingbus behind one source. */
export async function testZongji(source: CdcSource): Promise<void> {
  for (const name of PACKAGES) {
    // the newer of the two takes columns from the log where they are in it
    const selfMade = source.modern && name === "@vlasky/zongji";
    await testPackage(name, source, selfMade);
  }
}

async function testPackage(
  name: ZongjiPackage,
  source: CdcSource,
  columnsInLog: boolean,
): Promise<void> {
  const test = (what: string, body: () => Promise<void>) =>
    source.test(`${name} ${what}, ${source.title}`, body);

  /** The source with rows of every type, and kingbus with the same log. */
  async function open(): Promise<Opened> {
    const server = await source.fresh();
    if (source.modern) {
      const columns = columnsInLog ? "FULL" : "MINIMAL";
      await server.query(`SET GLOBAL binlog_row_metadata = ${columns}`);
    }
    await runAll(
      server,
      ...columnTypeStatements({ json: source.modern, altered: columnsInLog }),
    );
    await source.settle?.(server);
    const kingbus = await TestKingbus.following(server, {
      server: { identity: "source" },
    });
    const { fileName, position } = await logEndOf(server);
    await kingbus.waitUntilAt(fileName, position);
    return { server, kingbus };
  }

  /** Starts the package against a server. */
  function start(
    { server }: Pick<Opened, "server">,
    address: ServerAddress,
    options: ZongjiStart,
  ): ZongjiClient {
    const metadata: Login = { port: server.port, ...APPLICATION_ACCOUNT };
    return ZongjiClient.start(name, {
      login: { port: address.port, ...REPLICATION_ACCOUNT },
      ...columnsInLog ? {} : { metadata },
      start: { serverId: SERVER_ID, ...options },
    });
  }

  await test("is told of every row as by the source itself, packet by packet the same", async () => {
    const opened = await open();
    await using kingbus = opened.kingbus;
    const told: ZongjiClient[] = [];
    await assertSameConversations({
      kingbus,
      source: opened.server,
      client: async ({ address, sentAll }) => {
        const begin = { filename: "binlog.000001", position: 4 };
        const client = start(opened, address, begin);
        told.push(client);
        await client.waitFor("last row");
        await sentAll();
        await client.waitFor("Xid");
        await client.stop();
      },
    });
    const [expected, actual] = told;
    assert(expected!.rowLines.length >= 9, "rows were told");
    assertEquals(actual!.rowLines, expected!.rowLines);
    assertEquals(actual!.lines, expected!.lines);
    assertEquals(actual!.gtidSet, expected!.gtidSet);
    assertEquals(actual!.place, expected!.place);
  });

  await test("begins at the end, and goes on from where it stopped", async () => {
    const opened = await open();
    const { server } = opened;
    await using kingbus = opened.kingbus;
    await using first = start(opened, kingbus, { startAtEnd: true });
    await kingbus.waitUntilDumping(1);
    await server.query("INSERT INTO test.kinds (id, v) VALUES (200, 'first')");
    await first.waitFor('"first"');
    const { position } = await logEndOf(server);
    await waitUntil(
      "the transaction's end was told",
      () => first.place.position === position,
    );
    await first.stop();
    assertEquals(first.rowLines.length, 1);
    await server.query("INSERT INTO test.kinds (id, v) VALUES (201, 'second')");
    await using second = start(opened, kingbus, first.place);
    await second.waitFor('"second"');
    await second.stop();
    assertEquals(second.rowLines.length, 1);
  });

  await test("kills its own dump when it stops", async () => {
    const opened = await open();
    await using kingbus = opened.kingbus;
    for (let round = 0; round < 3; round++) {
      const client = start(opened, kingbus, { startAtEnd: true });
      const [dump] = await kingbus.waitUntilDumping(1);
      assertEquals(dump!.serverId, String(SERVER_ID));
      await client.stop();
      assertEquals(client.errors, []);
      await waitUntil(
        "its connections had gone",
        () => kingbus.replicas.length === 0,
      );
    }
  });

  await test("goes on after a restart of kingbus, and misses nothing", async () => {
    const opened = await open();
    const { server } = opened;
    await using kingbus = opened.kingbus;
    await using before = start(opened, kingbus, { startAtEnd: true });
    await kingbus.waitUntilDumping(1);
    await server.query("INSERT INTO test.kinds (id, v) VALUES (300, 'before')");
    await before.waitFor('"before"');
    const { position } = await logEndOf(server);
    await waitUntil(
      "the transaction's end was told",
      () => before.place.position === position,
    );
    await kingbus.stop();
    await before.waitForError();
    await before.stop();
    await server.query("INSERT INTO test.kinds (id, v) VALUES (301, 'during')");
    await kingbus.resume();
    await using after = start(opened, kingbus, before.place);
    await after.waitFor('"during"');
    await server.query("INSERT INTO test.kinds (id, v) VALUES (302, 'after')");
    await after.waitFor('"after"');
    await after.stop();
    assertEquals(after.rowLines.length, 2);
  });

  await test("learns from kingbus that columns are to be asked elsewhere", async () => {
    const opened = await open();
    const { server } = opened;
    await using kingbus = opened.kingbus;
    if (source.modern) {
      await server.query("SET GLOBAL binlog_row_metadata = MINIMAL");
    }
    // the package itself: its own dsn for everything
    await using client = ZongjiClient.start(name, {
      login: { port: kingbus.port, ...REPLICATION_ACCOUNT },
      start: { serverId: SERVER_ID, startAtEnd: true },
    });
    await kingbus.waitUntilDumping(1);
    await server.query("INSERT INTO test.kinds (id, v) VALUES (400, 'unseen')");
    const error = await client.waitForError();
    assertEquals(errnoOf(error), 1109);
    assertStringIncludes(error.message, "Unknown table 'COLUMNS'");
    assertStringIncludes(error.message, "a connection to the source");
    assertEquals(client.rowLines, []);
  });
}

/** What a zongji by GTID is compared with. */
export interface GtidComparison {
  readonly kingbus: TestKingbus;
  readonly server: SqlServer & ServerAddress;
  /** What the client has, and what it has at the end. */
  readonly gtidSet: string;
  readonly all: string;
  readonly metadata?: Login;
}

/**
 * Has `@vlasky/zongji` go on by GTID at kingbus and at the source, and compares
 * what both have sent, and what it made of it.
 */
export async function assertSameByGtid(
  { kingbus, server, gtidSet, all, metadata }: GtidComparison,
): Promise<void> {
  const told: ZongjiClient[] = [];
  await assertSameConversations({
    kingbus,
    source: server,
    client: async ({ address, sentAll }) => {
      const client = ZongjiClient.start("@vlasky/zongji", {
        login: { port: address.port, ...REPLICATION_ACCOUNT },
        ...metadata === undefined ? {} : { metadata },
        start: { serverId: SERVER_ID, gtidSet },
      });
      told.push(client);
      await client.waitFor('"last row"');
      await sentAll();
      await waitUntil("the end was told", () => client.gtidSet === all);
      await client.stop();
    },
  });
  const [expected, actual] = told;
  assertEquals(actual!.lines, expected!.lines);
  assert(actual!.lines.some((line) => line.includes("Gtid")));
}

interface Opened {
  readonly server: SqlServer & ServerAddress;
  readonly kingbus: TestKingbus;
}

/** The server's error number in an error of a client. */
function errnoOf(error: Error): number | undefined {
  return "errno" in error ? Number(error.errno) : undefined;
}
