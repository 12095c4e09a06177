import { assert, assertEquals } from "@std/assert";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { eventTypeAt } from "../../../lib/binlog/event_header.ts";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import {
  Command,
  DumpFlag,
  encodeBinlogDump,
  encodeBinlogDumpGtid,
} from "../../../lib/protocol/command.ts";
import { REPLICATION_ACCOUNT } from "../../../scripts/test_servers/mysql56.ts";
import { rawPacket } from "../../support/raw_socket.ts";
import { ScriptedClient } from "../../support/scripted_client.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { executedOf } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

const source = new SharedSource56();

const INSERT = "INSERT INTO test.t (data) VALUES (REPEAT('x', 1000))";
const FILE = "binlog.000001";

/** Every way to ask for a dump that goes on. */
const MODES: Record<string, (executed: string) => Uint8Array> = {
  "by position": () =>
    encodeBinlogDump({ flags: 0, serverId: 61, fileName: FILE, position: 4 }),
  "by position, as another": () =>
    encodeBinlogDump({ flags: 0, serverId: 62, fileName: FILE, position: 4 }),
  "by position, not blocking": () =>
    encodeBinlogDump({
      flags: DumpFlag.NON_BLOCK,
      serverId: 61,
      fileName: FILE,
      position: 4,
    }),
  "by GTID": () => byGtid(0, "", ""),
  "by GTID without some": (executed) =>
    byGtid(DumpFlag.THROUGH_GTID, "\0\0\0", executed.replace(/-\d+$/, "-3")),
  "by GTID from a file": () => byGtid(DumpFlag.HEARTBEAT_V2, FILE, ""),
};

function byGtid(flags: number, fileName: string, executed: string) {
  return encodeBinlogDumpGtid({
    flags,
    serverId: 61,
    fileName,
    position: 4n,
    gtidSetBytes: GtidSet.parse(executed).encode(),
  });
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const PING = rawPacket(Uint8Array.of(Command.PING), 0);

/** What clients may send while they are sent a dump. */
const STRAY: Record<string, Uint8Array> = {
  "a ping": PING,
  "pings": repeated(PING, 1000),
  "one byte": Uint8Array.of(0xff),
  "a packet cut short": PING.subarray(0, 3),
  "a statement": rawPacket(text("\u0003SELECT 1"), 0),
  "a goodbye": rawPacket(Uint8Array.of(Command.QUIT), 0),
  "another dump command": rawPacket(byGtid(0, "", ""), 0),
  "a request of HTTP": text("GET / HTTP/1.1\r\n\r\n"),
};

function repeated(bytes: Uint8Array, times: number): Uint8Array {
  const all = new Uint8Array(bytes.length * times);
  for (let n = 0; n < times; n++) all.set(bytes, n * bytes.length);
  return all;
}

/** kingbus with a log of one file and so many transactions. */
async function openKingbus(transactions: number): Promise<TestKingbus> {
  await source.run(
    TEST_TABLE,
    ...Array<string>(transactions).fill(INSERT),
  );
  const kingbus = await TestKingbus.following(source);
  await kingbus.waitUntilHas(await executedOf(source.server));
  return kingbus;
}

/** A client that has set its dump up, and asked. */
async function dumping(
  kingbus: TestKingbus,
  mode: string,
  semiSync = false,
): Promise<ScriptedClient> {
  const client = await ScriptedClient.open(kingbus, REPLICATION_ACCOUNT, 0);
  await client.query("SET @master_binlog_checksum = 'CRC32'");
  if (semiSync) await client.query("SET @rpl_semi_sync_slave = 1");
  await client.send(MODES[mode]!(await executedOf(source.server)));
  return client;
}

/** Reads on to so many commits, or to the dump's end; answers the events. */
async function readCommits(
  client: ScriptedClient,
  commits: number,
  headerBytes = 1,
): Promise<string[]> {
  const events: string[] = [];
  for (let left = commits; left > 0;) {
    const payload = await client.next();
    assert(payload !== null, "the dump goes on");
    assertEquals(payload[0], 0, `an event, not ${payload.toHex()}`);
    const event = payload.subarray(headerBytes);
    events.push(event.toHex());
    if (eventTypeAt(event, 0) === EventType.XID) left -= 1;
  }
  return events;
}

const TRANSACTIONS = 40;

/** Transactions of the log that a dump sends: the table's is no XID. */
function commitsOf(mode: string): number {
  return mode.endsWith("without some") ? TRANSACTIONS - 2 : TRANSACTIONS;
}

for (const mode of Object.keys(MODES)) {
  Deno.test(`a dump ${mode} is the same whatever the client sends meanwhile`, async (context) => {
    await using kingbus = await openKingbus(TRANSACTIONS);
    using quiet = await dumping(kingbus, mode);
    const expected = await readCommits(quiet, commitsOf(mode));
    quiet[Symbol.dispose]();
    for (const [what, bytes] of Object.entries(STRAY)) {
      await context.step(what, async () => {
        using client = await dumping(kingbus, mode);
        await client.sendBytes(bytes);
        const first = await readCommits(client, 3);
        await client.sendBytes(bytes);
        const rest = await readCommits(client, commitsOf(mode) - 3);
        assertEquals([...first, ...rest], expected);
        if (mode.endsWith("not blocking")) {
          const last = await client.next();
          assertEquals(last?.toHex(), "fe00000200");
        }
      });
    }
    if (mode.endsWith("not blocking")) return;
    await context.step("new events come after all of it", async () => {
      using client = await dumping(kingbus, mode);
      await readCommits(client, commitsOf(mode));
      for (const bytes of Object.values(STRAY)) {
        await client.sendBytes(bytes);
        await source.run(INSERT);
        await readCommits(client, 1);
      }
    });
  });
}

Deno.test("a semi-synchronous dump goes on under a million pings", async () => {
  await using kingbus = await openKingbus(1);
  await kingbus.stop();
  await using semiSync = await TestKingbus.following(source, {
    server: { semiSync: { replicas: 0, timeoutMs: 1000 } },
  });
  await semiSync.waitUntilHas(await executedOf(source.server));
  using client = await dumping(semiSync, "by GTID", true);
  await readCommits(client, 1, 3);
  const pings = repeated(PING, 50_000);
  for (let round = 0; round < 20; round++) {
    await source.run(INSERT);
    const [sent] = await Promise.all([
      client.sendBytes(pings),
      readCommits(client, 1, 3),
    ]);
    assert(sent);
  }
});

/** What floods may add to the memory of the process, client and all. */
const GROWTH_BYTES_MAX = 96 * 1024 * 1024;

Deno.test("a flood during a dump is taken and dropped, in bounded memory", async () => {
  await using kingbus = await openKingbus(1);
  using client = await dumping(kingbus, "by position");
  await readCommits(client, 1);
  const flood = new Uint8Array(1024 * 1024).fill(0xff);
  const before = Deno.memoryUsage().rss;
  for (let round = 0; round < 256; round++) {
    assert(await client.sendBytes(flood), "kingbus takes it");
  }
  const grown = Deno.memoryUsage().rss - before;
  assert(grown < GROWTH_BYTES_MAX, `${grown} bytes more after 256 MiB`);
  await source.run(INSERT);
  await readCommits(client, 1);
  // and one who sends without end but reads nothing harms nobody else
  using deaf = await dumping(kingbus, "by position, as another");
  const sending = (async () => {
    for (let round = 0; round < 64; round++) {
      if (!await deaf.sendBytes(flood)) return;
    }
  })();
  for (let round = 0; round < 10; round++) {
    await source.run(INSERT);
    await readCommits(client, 1);
  }
  await sending;
});
