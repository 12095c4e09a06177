import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  checkSourceSettings,
  type SourceFacts,
  type SourceWishes,
} from "../../../lib/cli/source_settings.ts";
import type { SourceIdentity } from "../../../lib/store/source_identity.ts";

const IDENTITY: SourceIdentity = {
  flavour: "mysql",
  serverId: "1",
  uuid: "u",
  version: "8.4.0",
  gtidMode: "ON",
  binlogFormat: "ROW",
  binlogChecksum: "CRC32",
  binlogRowImage: "FULL",
};

const WISHES: SourceWishes = {
  user: "kb",
  hasCandidates: false,
  semiSync: false,
  ownIds: [undefined, 4711],
};

/** What is not as it should be, of a server that differs so. */
function found(
  facts: {
    identity?: Partial<SourceIdentity>;
    variables?: Record<string, string>;
    grants?: string[];
  } = {},
  wishes: Partial<SourceWishes> = {},
): [level: string, what: string, text: string][] {
  const all: SourceFacts = {
    identity: { ...IDENTITY, ...facts.identity },
    variables: new Map(Object.entries({
      log_bin: "1",
      sync_binlog: "1",
      innodb_flush_log_at_trx_commit: "1",
      binlog_expire_logs_seconds: "2592000",
      ...facts.variables,
    })),
    grants: facts.grants ?? [
      "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `kb`@`%`",
    ],
  };
  return checkSourceSettings(all, { ...WISHES, ...wishes })
    .filter(({ level }) => level !== "ok")
    .map(({ level, what, text }) => [level, what, text]);
}

Deno.test("checkSourceSettings() finds nothing about a source as it should be", () => {
  assertEquals(found(), []);
  assertEquals(
    found({ grants: ["GRANT ALL PRIVILEGES ON *.* TO `kb`@`%`"] }),
    [],
  );
  const mariadb = {
    identity: { flavour: "mariadb" as const, gtidMode: "OFF" },
    variables: { gtid_strict_mode: "1" },
    grants: ["GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO `kb`@`%`"],
  };
  assertEquals(found(mariadb), []);
});

Deno.test("checkSourceSettings() names what is wrong and what to do", () => {
  const cases: [ReturnType<typeof found>, string, string, string][] = [
    [
      found({ grants: ["GRANT USAGE ON *.* TO `kb`@`%`"] }),
      "problem",
      "rights",
      "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO",
    ],
    [
      found({ grants: ["GRANT REPLICATION SLAVE ON *.* TO `kb`@`%`"] }),
      "problem",
      "rights",
      "lacks REPLICATION CLIENT",
    ],
    [
      found({ grants: ["GRANT ALL PRIVILEGES ON `db`.* TO `kb`@`%`"] }),
      "problem",
      "rights",
      "lacks REPLICATION SLAVE and REPLICATION CLIENT",
    ],
    [
      found({
        grants: ["GRANT USAGE ON *.* TO `kb`@`%`", "GRANT `r`@`%` TO `kb`@`%`"],
      }),
      "warning",
      "rights",
      "unless a role",
    ],
    [found({ variables: { log_bin: "0" } }), "problem", "log_bin", "log_bin"],
    [
      found({ identity: { binlogFormat: "MIXED" } }),
      "warning",
      "binlog_format",
      "set binlog_format = ROW",
    ],
    [
      found({ identity: { binlogRowImage: "MINIMAL" } }),
      "warning",
      "binlog_row_image",
      "FULL",
    ],
    [
      found({ identity: { binlogChecksum: "NONE" } }),
      "warning",
      "binlog_checksum",
      "SET GLOBAL binlog_checksum = CRC32",
    ],
    [
      found({ identity: { gtidMode: "OFF" } }),
      "warning",
      "gtid_mode",
      "set gtid_mode = ON",
    ],
    [
      found({ identity: { gtidMode: "OFF" } }, { hasCandidates: true }),
      "problem",
      "gtid_mode",
      "candidates",
    ],
    [
      found({ identity: { serverId: "0" } }),
      "problem",
      "server_id",
      "serves no replicas",
    ],
    [
      found({ identity: { serverId: "4711" } }),
      "problem",
      "server_id",
      "kingbus's own",
    ],
    [
      found({ variables: { sync_binlog: "0" } }),
      "warning",
      "sync_binlog",
      "source-lost-events",
    ],
    [
      found({ variables: { binlog_expire_logs_seconds: "3600" } }),
      "warning",
      "binlog_expire_logs_seconds",
      "1 h only",
    ],
    [found({}, { semiSync: true }), "warning", "semi-sync", "INSTALL PLUGIN"],
    [
      found({ variables: { rpl_semi_sync_master_enabled: "0" } }, {
        semiSync: true,
      }),
      "warning",
      "semi-sync",
      "not enabled",
    ],
  ];
  for (const [findings, level, what, text] of cases) {
    assertEquals(findings.length, 1, Deno.inspect(findings));
    assertEquals(findings[0]!.slice(0, 2), [level, what]);
    assertStringIncludes(findings[0]![2], text);
  }
});
