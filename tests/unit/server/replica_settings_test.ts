import { assertEquals } from "@std/assert";
import { replicaSettingsOf } from "../../../lib/server/replica_settings.ts";
import {
  SQL_NULL,
  sqlInteger,
  sqlString,
} from "../../../lib/server/sql_value.ts";
import type { SqlValue } from "../../../lib/server/sql_value.ts";

const UUID = "d7d4364c-e6f6-11f1-a4b5-02fc00000001";

/** What none but a MariaDB replica by GTID sets. */
const NO_POSITION = {
  slaveConnectState: undefined,
  gtidStrictMode: false,
  ignoreDuplicates: false,
  untilGtid: undefined,
  skipReplication: false,
};

function settingsOf(variables: Record<string, SqlValue>) {
  return replicaSettingsOf(new Map(Object.entries(variables)));
}

Deno.test("replicaSettingsOf() knows nothing of a client that set nothing", () => {
  assertEquals(settingsOf({}), {
    checksum: undefined,
    heartbeatPeriodNs: 0n,
    uuid: "",
    semiSync: false,
    mariadbCapability: 0,
    modern: false,
    ...NO_POSITION,
  });
});

Deno.test("replicaSettingsOf() prefers the new names", () => {
  assertEquals(
    settingsOf({
      master_binlog_checksum: sqlString("NONE"),
      source_binlog_checksum: sqlString("CRC32"),
      master_heartbeat_period: sqlInteger(1_000_000_000),
      source_heartbeat_period: sqlInteger(2_000_000_000),
      slave_uuid: sqlString("00000000-0000-0000-0000-000000000000"),
      replica_uuid: sqlString(UUID.toUpperCase()),
      rpl_semi_sync_replica: sqlInteger(1),
    }),
    {
      checksum: "crc32",
      heartbeatPeriodNs: 2_000_000_000n,
      uuid: UUID,
      semiSync: true,
      mariadbCapability: 0,
      modern: true,
      ...NO_POSITION,
    },
  );
});

Deno.test("replicaSettingsOf() reads what a MariaDB replica sets", () => {
  assertEquals(
    settingsOf({
      master_binlog_checksum: sqlString("crc32"),
      master_heartbeat_period: sqlInteger(30_000_001_024),
      mariadb_slave_capability: sqlString("4"),
      rpl_semi_sync_slave: sqlInteger(0),
    }),
    {
      checksum: "crc32",
      heartbeatPeriodNs: 30_000_001_024n,
      uuid: "",
      semiSync: false,
      mariadbCapability: 4,
      modern: false,
      ...NO_POSITION,
    },
  );
});

Deno.test("replicaSettingsOf() knows the names of checksums as MySQL does", () => {
  const values: [string, string][] = [
    ["CRC32", "crc32"],
    ["crc32", "crc32"],
    ["CRC32  ", "crc32"],
    [" CRC32", "unknown"],
    ["CRC", "unknown"],
    ["NONE", "none"],
    ["None ", "none"],
    ["", "unknown"],
    ["nonsense", "unknown"],
  ];
  for (const [value, expected] of values) {
    const { checksum } = settingsOf({
      master_binlog_checksum: sqlString(value),
    });
    assertEquals(checksum, expected, value);
  }
  const { checksum } = settingsOf({ master_binlog_checksum: SQL_NULL });
  assertEquals(checksum, undefined);
});

Deno.test("replicaSettingsOf() bounds the heartbeat period to what a timer can wait", () => {
  const periods: [SqlValue, bigint][] = [
    [sqlInteger(0), 0n],
    [sqlInteger(-5), 0n],
    [sqlString("soon"), 0n],
    [sqlString("1e9"), 0n],
    [SQL_NULL, 0n],
    [sqlInteger(1), 1_000_000n],
    [sqlInteger(300_000_000), 300_000_000n],
    [sqlString("15000000000"), 15_000_000_000n],
    [sqlInteger(0xffff_ffff_ffff_ffffn), 2_147_483_647_000_000n],
  ];
  for (const [value, expected] of periods) {
    const { heartbeatPeriodNs } = settingsOf({
      master_heartbeat_period: value,
    });
    assertEquals(heartbeatPeriodNs, expected, String(value.text));
  }
});

Deno.test("replicaSettingsOf() takes nonsense for no uuid", () => {
  for (const uuid of ["", "x", `${UUID}0`, UUID.replace("d", "g")]) {
    assertEquals(settingsOf({ slave_uuid: sqlString(uuid) }).uuid, "", uuid);
  }
});

Deno.test("replicaSettingsOf() reads the position by GTID of a MariaDB replica", () => {
  const settings = settingsOf({
    slave_connect_state: sqlString("0-1-5,1-2-7"),
    slave_gtid_strict_mode: sqlInteger(1),
    slave_gtid_ignore_duplicates: sqlInteger(0),
    slave_until_gtid: sqlString("0-1-9"),
  });
  assertEquals(settings.slaveConnectState, "0-1-5,1-2-7");
  assertEquals(settings.gtidStrictMode, true);
  assertEquals(settings.ignoreDuplicates, false);
  assertEquals(settings.untilGtid, "0-1-9");
  // a replica that has nothing yet asks by GTID all the same
  const fresh = settingsOf({ slave_connect_state: sqlString("") });
  assertEquals(fresh.slaveConnectState, "");
});

Deno.test("replicaSettingsOf() knows that a session wants no marked events", () => {
  const settings = new Map([["skip_replication", "ON"]]);
  assertEquals(replicaSettingsOf(new Map(), settings).skipReplication, true);
});
