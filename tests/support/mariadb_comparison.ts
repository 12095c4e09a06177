import {
  type ChecksumAlgorithm,
  eventChecksumOk,
} from "../../lib/binlog/checksum.ts";
import {
  eventTypeAt,
  flagsAt,
  logPosAt,
  serverIdAt,
} from "../../lib/binlog/event_header.ts";
import { EventFlag, EventType } from "../../lib/binlog/event_type.ts";
import {
  decodeMariadbGtidList,
  encodeMariadbGtidList,
} from "../../lib/binlog/mariadb_gtid_list.ts";
import { MariadbGtidState } from "../../lib/gtid/mariadb_gtid_state.ts";
import type { DumpClientOptions } from "./dump_client.ts";
import {
  assertSameDump,
  type DumpTranscript,
  takeDump,
} from "./dump_comparison.ts";
import type { LaunchedServer } from "./launched_server.ts";
import { checkpointed } from "./mariadb_checkpoint.ts";
import { logEndOf } from "./sql_server.ts";
import { TestKingbus } from "./test_kingbus.ts";

/**
 * Two files of what MariaDB writes: three domains, two servers, tables that
 * roll back and that do not, statements and rows, DDL, XA.
 */
export const MARIADB_WORKLOAD: readonly string[] = [
  "CREATE TABLE test.t (id INT AUTO_INCREMENT PRIMARY KEY, d VARCHAR(50)) ENGINE=InnoDB",
  "CREATE TABLE test.m (id INT) ENGINE=MyISAM",
  "INSERT INTO test.t (d) VALUES ('a')",
  "INSERT INTO test.t (d) VALUES ('b'), ('c')",
  "SET gtid_domain_id = 3",
  "INSERT INTO test.t (d) VALUES ('third domain')",
  "INSERT INTO test.t (d) VALUES ('third domain again')",
  "SET gtid_domain_id = 7",
  "INSERT INTO test.m VALUES (1)",
  "SET gtid_domain_id = 0",
  "SET server_id = 55",
  "INSERT INTO test.t (d) VALUES ('of server 55')",
  "SET server_id = DEFAULT",
  "FLUSH LOGS",
  "INSERT INTO test.t (d) VALUES ('second file')",
  "SET gtid_domain_id = 3",
  "INSERT INTO test.t (d) VALUES ('third domain')",
  "SET gtid_domain_id = 0",
  "SET SESSION binlog_format = STATEMENT",
  "SET @value = 5",
  "INSERT INTO test.t (d) VALUES (@value)",
  "INSERT INTO test.m VALUES (2)",
  "SET SESSION binlog_format = ROW",
  "BEGIN",
  "INSERT INTO test.t (d) VALUES ('rolled back')",
  "INSERT INTO test.m VALUES (9)",
  "ROLLBACK",
  "SET skip_replication = 1",
  "INSERT INTO test.t (d) VALUES ('marked')",
  "SET skip_replication = 0",
  "ALTER TABLE test.t ADD COLUMN x INT",
  "INSERT INTO test.t (d) VALUES ('last')",
];

/** Two transactions in XA, which old clients can't be sent. */
export const MARIADB_XA: readonly string[] = [
  "XA START 'x1'",
  "INSERT INTO test.t (d) VALUES ('xa')",
  "XA END 'x1'",
  "XA PREPARE 'x1'",
  "XA COMMIT 'x1'",
];

/** What a MariaDB replica sets before a dump by GTID. */
export function byGtid(
  connectState: string,
  variables: Record<string, string | number> = {},
): DumpClientOptions {
  return {
    flags: 3,
    variables: {
      mariadb_slave_capability: 4,
      slave_connect_state: `'${connectState}'`,
      slave_gtid_strict_mode: 0,
      slave_gtid_ignore_duplicates: 0,
      ...variables,
    },
  };
}

/** A MariaDB source, and kingbus with the same log under the same server id. */
export class MariadbComparison implements AsyncDisposable {
  readonly source: LaunchedServer;
  readonly kingbus: TestKingbus;

  private constructor(source: LaunchedServer, kingbus: TestKingbus) {
    this.source = source;
    this.kingbus = kingbus;
  }

  /** Runs statements on the source and lets kingbus follow it. */
  static async open(
    source: LaunchedServer,
    statements: readonly string[],
  ): Promise<MariadbComparison> {
    await source.run(...statements);
    const kingbus = await TestKingbus.following(source, {
      server: { identity: "source" },
    });
    const comparison = new MariadbComparison(source, kingbus);
    await comparison.catchUp();
    return comparison;
  }

  /** Waits until kingbus has what the source has, and that stays as it is. */
  async catchUp(): Promise<void> {
    await checkpointed(this.source);
    const { fileName, position } = await logEndOf(this.source);
    await this.kingbus.waitUntilAt(fileName, position);
  }

  /**
   * Asks both for the same and compares the answers, to the byte but for the
   * order of domains in the Gtid_list events that a sender makes up.
   *
   * @returns What the source answered.
   */
  async compare(request: DumpClientOptions): Promise<DumpTranscript> {
    const expected = await takeDump(this.source, request);
    const actual = await takeDump(this.kingbus, request);
    assertSameDump(inOrder(actual), inOrder(expected), {
      senderServerId: false,
    });
    return expected;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kingbus[Symbol.asyncDispose]();
  }
}

/**
 * An answer with the domains of made up Gtid_list events ascending: MariaDB has
 * them in the order of a hash table, kingbus in the order in which they came.
 */
function inOrder({ events, end }: DumpTranscript): DumpTranscript {
  return { events: events.map(sortedList), end };
}

function sortedList(event: Uint8Array): Uint8Array {
  if (!isMadeGtidList(event)) return event;
  const algorithm: ChecksumAlgorithm = eventChecksumOk(event)
    ? "crc32"
    : "none";
  const { state, flags } = decodeMariadbGtidList(event, algorithm);
  const sorted = state.entries().sort((a, b) => a.domain - b.domain);
  const again = encodeMariadbGtidList(MariadbGtidState.of(sorted), {
    timestamp: 0,
    serverId: serverIdAt(event, 0),
    endPosition: logPosAt(event, 0),
    algorithm,
    artificial: true,
    flags,
  });
  if (again.length !== event.length) throw new TypeError("Not a Gtid_list");
  return again;
}

/** Whether the event is a Gtid_list that is in no file. */
export function isMadeGtidList(event: Uint8Array): boolean {
  return eventTypeAt(event, 0) === EventType.MARIADB_GTID_LIST &&
    (flagsAt(event, 0) & EventFlag.ARTIFICIAL) !== 0;
}
