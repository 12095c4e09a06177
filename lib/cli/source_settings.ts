import type { SourceIdentity } from "../store/source_identity.ts";
import type { Finding } from "./finding.ts";
import { formatSeconds } from "./format_seconds.ts";

/** What a server says of itself. */
export interface SourceFacts {
  readonly identity: SourceIdentity;
  /** Global variables by name; one that it does not know is not there. */
  readonly variables: ReadonlyMap<string, string>;
  /** What `SHOW GRANTS` answers, a line each. */
  readonly grants: readonly string[];
}

/** What kingbus wants of the server. */
export interface SourceWishes {
  readonly user: string;
  /** Whether other servers may take its place. */
  readonly hasCandidates: boolean;
  readonly semiSync: boolean;
  /** The server ids of the configuration, towards source and replicas. */
  readonly ownIds: readonly (number | undefined)[];
}

/** Files that go sooner may be gone before a kingbus that was away had them. */
const KEPT_SECONDS_MIN = 86_400;

/** Judges how a server is set up as a source. Pure. */
export function checkSourceSettings(
  facts: SourceFacts,
  wishes: SourceWishes,
): Finding[] {
  return [
    ...checkRights(facts, wishes),
    ...checkLog(facts),
    ...checkGtids(facts, wishes),
    ...checkIds(facts, wishes),
    ...checkDurability(facts),
    ...checkExpiry(facts),
    ...checkSemiSync(facts, wishes),
  ];
}

/** What the account needs, by the names each kind of server has for it. */
const RIGHTS = {
  mysql: [["REPLICATION SLAVE"], ["REPLICATION CLIENT", "SUPER"]],
  mariadb: [
    ["REPLICATION SLAVE"],
    ["BINLOG MONITOR", "REPLICATION CLIENT", "SUPER"],
  ],
} as const;

function checkRights(
  { identity, grants }: SourceFacts,
  { user }: SourceWishes,
): Finding[] {
  // A GRANT names its privileges before ON; only those ON *.* count.
  const granted = grants.flatMap((line) => {
    const match = /^GRANT (.+?) ON \*\.\* TO /i.exec(line);
    return match?.[1]?.toUpperCase().split(/,\s*/) ?? [];
  });
  const missing = RIGHTS[identity.flavour].filter((names) =>
    !granted.includes("ALL PRIVILEGES") &&
    !names.some((name) => granted.includes(name))
  ).map(([name]) => name);
  if (missing.length === 0) {
    return [ok("rights", `the account ${user} may replicate`)];
  }
  // Privileges may also come by a role, which SHOW GRANTS does not spell out.
  const hasRole = grants.some((line) => !/ ON /i.test(line));
  return [{
    level: hasRole ? "warning" : "problem",
    what: "rights",
    text: `the account ${user} lacks ${missing.join(" and ")}: GRANT ${
      missing.join(", ")
    } ON *.* TO the account${
      hasRole ? ", unless a role that is active by default has it" : ""
    }`,
  }];
}

function checkLog({ identity, variables }: SourceFacts): Finding[] {
  const findings: Finding[] = [];
  const isOn = ["1", "ON"].includes(variables.get("log_bin") ?? "");
  findings.push(
    isOn ? ok("log_bin", "the server writes a binary log") : {
      level: "problem",
      what: "log_bin",
      text:
        "the server writes no binary log: start it with log_bin (skip_log_bin must not be set)",
    },
  );
  const { binlogFormat: format, binlogRowImage: image } = identity;
  findings.push(
    format === "ROW" ? ok("binlog_format", "ROW") : {
      level: "warning",
      what: "binlog_format",
      text:
        `${format}: replicas get statements, which may do other things there, and CDC clients get no rows; set binlog_format = ROW`,
    },
  );
  if (format === "ROW" && image !== "FULL") {
    findings.push({
      level: "warning",
      what: "binlog_row_image",
      text:
        `${image}: rows are not whole, which some CDC clients can't read; FULL has them whole`,
    });
  }
  findings.push(
    identity.binlogChecksum === "CRC32" ? ok("binlog_checksum", "CRC32") : {
      level: "warning",
      what: "binlog_checksum",
      text:
        `${identity.binlogChecksum}: damage on the way or on a disk is not noticed; SET GLOBAL binlog_checksum = CRC32`,
    },
  );
  return findings;
}

function checkGtids(
  { identity, variables }: SourceFacts,
  { hasCandidates }: SourceWishes,
): Finding[] {
  if (identity.flavour === "mariadb") {
    const isStrict = ["1", "ON"].includes(
      variables.get("gtid_strict_mode") ?? "",
    );
    return [
      isStrict ? ok("gtid_strict_mode", "on") : {
        level: "warning",
        what: "gtid_strict_mode",
        text:
          "off: the order of GTIDs may go back, and a change of source can then fail; set gtid_strict_mode = 1",
      },
    ];
  }
  const { gtidMode } = identity;
  if (gtidMode === "ON") return [ok("gtid_mode", "ON")];
  return [{
    level: hasCandidates ? "problem" : "warning",
    what: "gtid_mode",
    text: `${gtidMode}: ${
      hasCandidates
        ? "the candidates can't be changed to, as that is done by GTID"
        : "another source can't be changed to, and replicas can't find their place by GTID"
    }; set gtid_mode = ON and enforce_gtid_consistency = ON`,
  }];
}

function checkIds(
  { identity }: SourceFacts,
  { ownIds }: SourceWishes,
): Finding[] {
  if (identity.serverId === "0") {
    return [{
      level: "problem",
      what: "server_id",
      text: "0: a server without server_id serves no replicas; set one",
    }];
  }
  if (!ownIds.some((id) => String(id) === identity.serverId)) {
    return [ok("server_id", `${identity.serverId}, not one of kingbus's`)];
  }
  return [{
    level: "problem",
    what: "server_id",
    text:
      `${identity.serverId} is kingbus's own, too: change source.server-id or server.server-id`,
  }];
}

function checkDurability({ variables }: SourceFacts): Finding[] {
  const findings: Finding[] = [];
  for (
    const [what, lost] of [
      ["sync_binlog", "the end of its log"],
      ["innodb_flush_log_at_trx_commit", "its last transactions"],
    ] as const
  ) {
    const value = variables.get(what);
    if (value === undefined || value === "1") continue;
    findings.push({
      level: "warning",
      what,
      text:
        `${value}: a crash of the source's machine can cost it ${lost} that kingbus and its replicas have already; kingbus then stops with cause source-lost-events. 1 is safe`,
    });
  }
  return findings;
}

function checkExpiry({ variables }: SourceFacts): Finding[] {
  const seconds = Number(variables.get("binlog_expire_logs_seconds") ?? 0) ||
    Number(variables.get("expire_logs_days") ?? 0) * 86_400;
  const what = variables.has("binlog_expire_logs_seconds")
    ? "binlog_expire_logs_seconds"
    : "expire_logs_days";
  if (seconds === 0) {
    return [
      ok(what, "0: the source keeps its files until somebody purges them"),
    ];
  }
  const kept = formatSeconds(seconds);
  if (seconds >= KEPT_SECONDS_MIN) {
    return [ok(what, `the source keeps its files for ${kept}`)];
  }
  return [{
    level: "warning",
    what,
    text:
      `the source keeps its files for ${kept} only: when kingbus is away for longer it misses some for ever (cause purged)`,
  }];
}

function checkSemiSync(
  { variables }: SourceFacts,
  { semiSync }: SourceWishes,
): Finding[] {
  if (!semiSync) return [];
  const value = variables.get("rpl_semi_sync_source_enabled") ??
    variables.get("rpl_semi_sync_master_enabled");
  if (value === undefined) {
    return [{
      level: "warning",
      what: "semi-sync",
      text:
        "the source has no plugin for it, so it is followed asynchronously: INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'",
    }];
  }
  if (value === "1" || value === "ON") return [ok("semi-sync", "enabled")];
  return [{
    level: "warning",
    what: "semi-sync",
    text:
      "the plugin is not enabled, so the source does not wait: SET GLOBAL rpl_semi_sync_source_enabled = 1",
  }];
}

function ok(what: string, text: string): Finding {
  return { level: "ok", what, text };
}
