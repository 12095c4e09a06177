import { assert, assertEquals } from "@std/assert";
import { eventChecksumOk } from "../../lib/binlog/checksum.ts";
import { logPosAt } from "../../lib/binlog/event_header.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import {
  DumpClient,
  type DumpClientOptions,
  isArtificialRotate,
  isHeartbeat,
} from "./dump_client.ts";
import { assertSameDump, takeDump } from "./dump_comparison.ts";
import { binlogsOf, runAll, type SqlServer, valueOf } from "./sql_server.ts";
import { type ServerAddress, TestKingbus } from "./test_kingbus.ts";
import { TEST_TABLE } from "./test_table.ts";

/** A server whose dumps a kingbus's are compared with. */
export interface ChecksumSource extends ServerAddress {
  readonly server: SqlServer;
  /** The words its replicas use. */
  readonly names: "source" | "master";
  /** Whether it is asked by GTID, too. */
  readonly gtids: boolean;
  /** Waits until it has nothing more to write by itself. */
  settle?(): Promise<void>;
}

/** What clients say of checksums; `null`: nothing. */
const SAYINGS = [
  "CRC32",
  "crc32",
  "NONE",
  "none",
  "",
  "CRC",
  "CRC32 ",
  "SHA1",
  "@@global.binlog_checksum",
  null,
] as const;

/** How often a heartbeat comes. */
const HEARTBEAT_MS = 150;

/**
 * Files with, without and with checksums, and a last one without, in which the
 * source's `binlog_checksum` was switched while it ran.
 */
export async function writeChecksumFiles(server: SqlServer): Promise<void> {
  await runAll(
    server,
    TEST_TABLE,
    "INSERT INTO test.t (data) VALUES ('with')",
    "INSERT INTO test.t (data) VALUES ('with')",
    "SET GLOBAL binlog_checksum = NONE",
    "INSERT INTO test.t (data) VALUES ('without')",
    "INSERT INTO test.t (data) VALUES (REPEAT('without', 20000))",
    "FLUSH LOGS",
    "INSERT INTO test.t (data) VALUES ('without, too')",
    "SET GLOBAL binlog_checksum = CRC32",
    "INSERT INTO test.t (data) VALUES ('with again')",
    "SET GLOBAL binlog_checksum = NONE",
    "INSERT INTO test.t (data) VALUES ('without at the end')",
  );
}

/** A kingbus with the source's identity that has all of its log. */
async function followAll(
  source: ChecksumSource,
): Promise<TestKingbus> {
  const kingbus = await TestKingbus.following(source, {
    server: { identity: "source" },
  });
  const { name, size } = (await binlogsOf(source.server)).at(-1)!;
  await kingbus.waitUntilAt(name, size);
  return kingbus;
}

/** Compares every dump with the source's, whatever clients say of checksums. */
async function compareSayings(
  source: ChecksumSource,
  kingbus: TestKingbus,
  context: Deno.TestContext,
): Promise<void> {
  const starts = await startsOf(source);
  for (const checksum of SAYINGS) {
    await context.step(
      checksum === null ? "nothing" : `'${checksum}'`,
      async () => {
        let refusals = 0;
        for (const start of starts) {
          // Whoever has said nothing at all is taken for an old replica.
          const request: DumpClientOptions = {
            ...start,
            checksum,
            heartbeatMs: 60_000,
            names: source.names,
          };
          const expected = await takeDump(source, request);
          const actual = await takeDump(kingbus, request);
          if (expected.end.startsWith("1236: ")) refusals++;
          assertSameDump(actual, expected, { senderServerId: false });
        }
        assertEquals(refusals > 0, checksum === null);
      },
    );
  }
}

/** Each file's begin and its second transaction; and some GTID sets. */
async function startsOf(source: ChecksumSource): Promise<DumpClientOptions[]> {
  const starts: DumpClientOptions[] = [];
  for (const { name } of await binlogsOf(source.server)) {
    const { rows } = await source.server.query(
      `SHOW BINLOG EVENTS IN '${name}'`,
    );
    const positions = rows.map(([, start]) => Number(start));
    for (const position of [4, positions[2], positions.at(-1)]) {
      if (position !== undefined) starts.push({ fileName: name, position });
    }
  }
  if (!source.gtids) return starts;
  const uuid = await valueOf(source.server, "SELECT @@server_uuid");
  for (const gtids of ["1", "1-2", "1-3", "2", "1-4", "1:3:5", "1-6", "1-7"]) {
    starts.push({ executed: `${uuid}:${gtids}` });
  }
  return [...starts, { executed: "" }];
}

/**
 * Compares what idle clients are sent while the source's `binlog_checksum` is
 * switched: heartbeats have checksums as their file has, and an artificial
 * rotate as the file before it.
 */
async function compareHeartbeats(
  source: ChecksumSource,
  kingbus: TestKingbus,
): Promise<void> {
  const { name, size } = (await binlogsOf(source.server)).at(-1)!;
  const request: DumpClientOptions = {
    fileName: name,
    position: size,
    flags: 0,
    heartbeatMs: HEARTBEAT_MS,
    names: source.names,
  };
  const clients = [
    await IdleClient.open(source, { ...request, serverId: 7801 }),
    await IdleClient.open(kingbus, { ...request, serverId: 7802 }),
  ] as const;
  await using client = await kingbus.connect();
  try {
    for (const client of clients) await client.beatAt(size);
    for (const algorithm of ["CRC32", "NONE", "NONE", "CRC32"]) {
      await source.server.query(`SET GLOBAL binlog_checksum = ${algorithm}`);
      await source.server.query(
        `INSERT INTO test.t (data) VALUES ('${algorithm}')`,
      );
      await source.settle?.();
      const end = (await binlogsOf(source.server)).at(-1)!;
      await kingbus.waitUntilAt(end.name, end.size);
      const [beat] = await Promise.all(
        clients.map((one) => one.beatAt(end.size)),
      );
      assertEquals(eventChecksumOk(beat!), algorithm === "CRC32");
      const asked = "SELECT @@global.binlog_checksum";
      assertEquals(await valueOf(client, asked), algorithm);
    }
    const [expected, actual] = clients;
    assertEquals(
      actual.events.map((event) => event.toHex()),
      expected.events.map((event) => event.toHex()),
    );
    assert(expected.events.filter(isArtificialRotate).length > 2);
  } finally {
    for (const client of clients) client.close();
  }
}

/**
 * A client that waits, and keeps what it is sent: of the heartbeats those that
 * it waits for, as nobody knows how many come before.
 */
class IdleClient {
  readonly events: Uint8Array[] = [];
  readonly #client: DumpClient;

  private constructor(client: DumpClient) {
    this.#client = client;
  }

  static async open(
    address: ServerAddress,
    request: DumpClientOptions,
  ): Promise<IdleClient> {
    return new IdleClient(await DumpClient.open(address, request));
  }

  /** Reads on until a heartbeat that says that the log ends there. */
  async beatAt(position: number): Promise<Uint8Array> {
    return await waitUntil(`a heartbeat came at ${position}`, async () => {
      const event = await this.#client.next();
      if (event === null) throw new TypeError("The dump has ended");
      const beats = isHeartbeat(event);
      const isThere = beats && logPosAt(event, 0) === position;
      if (!beats || isThere) this.events.push(event);
      return isThere ? event : false;
    });
  }

  close(): void {
    this.#client.close();
  }
}

/** Registers a test of a generation of servers. */
export type RegisterChecksumTest = (
  name: string,
  body: (context: Deno.TestContext) => Promise<void>,
) => void | Promise<void>;

/**
 * Registers the tests of what kingbus does with checksums, beside a source.
 *
 * @param title what the source is
 * @param open gives one with the files of `writeChecksumFiles`
 */
export async function checksumSuite(
  title: string,
  open: () => Promise<ChecksumSource>,
  test: RegisterChecksumTest,
): Promise<void> {
  await test(`whatever a client says of checksums, kingbus sends what ${title} sends, to the byte`, async (context) => {
    const source = await open();
    await using kingbus = await followAll(source);
    await compareSayings(source, kingbus, context);
  });
  await test(`heartbeats and rotates have checksums as those of ${title} while they are switched`, async () => {
    const source = await open();
    await using kingbus = await followAll(source);
    await compareHeartbeats(source, kingbus);
  });
}
