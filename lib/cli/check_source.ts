import { type Address, formatAddress } from "../config/address.ts";
import type { Options } from "../config/options.ts";
import type { ClientConnection } from "../connection/client_connection.ts";
import { describeError } from "../log/describe_error.ts";
import { ServerError } from "../protocol/server_error.ts";
import type { Flavour, SourceIdentity } from "../store/source_identity.ts";
import { adviceFor } from "../syncer/cause_text.ts";
import { connectSource } from "../syncer/connect_source.ts";
import type { SourceOptions } from "../syncer/source_options.ts";
import { SourceSession } from "../syncer/source_session.ts";
import { diagnose } from "../syncer/syncer_fault.ts";
import type { Finding } from "./finding.ts";
import { formatSeconds } from "./format_seconds.ts";
import { checkSourceSettings, type SourceFacts } from "./source_settings.ts";

/** A server that was looked at, and what was found. */
export interface CheckedSource {
  /** `host:port`. */
  readonly address: string;
  readonly findings: readonly Finding[];
}

/** Clocks that differ by more make lags wrong that people look at. */
const CLOCK_MS_MAX = 5_000;

/**
 * Connects to the source, and to each candidate, as kingbus does, and looks
 * whether it can be followed: account, rights, and how it writes its log. It
 * registers as no replica and reads nothing of the log.
 *
 * @param options a whole configuration; without a source there is nothing to do
 * @param now milliseconds since 1970
 */
export async function checkSources(
  options: Options,
  now: () => number,
): Promise<CheckedSource[]> {
  const { source } = options;
  if (source === undefined) return [];
  const known = source.candidates.filter((one) =>
    formatAddress(one) !== formatAddress(source.address)
  );
  const checked: CheckedSource[] = [];
  let flavour: Flavour | undefined;
  for (const address of [source.address, ...known]) {
    const { identity, findings } = await checkServer(
      address,
      options,
      source,
      now,
    );
    flavour ??= identity?.flavour;
    const isOther = identity !== undefined && identity.flavour !== flavour;
    checked.push({
      address: formatAddress(address),
      findings: isOther ? [...findings, OTHER_FLAVOUR] : findings,
    });
  }
  return checked;
}

const OTHER_FLAVOUR: Finding = {
  level: "problem",
  what: "other-flavour",
  text:
    "MySQL and MariaDB can't take each other's place, a log is of one kind for ever: remove it from source.candidates",
};

async function checkServer(
  address: Address,
  options: Options,
  source: NonNullable<Options["source"]>,
  now: () => number,
): Promise<{ identity: SourceIdentity | undefined; findings: Finding[] }> {
  const target: SourceOptions = {
    ...address,
    ...options.follow,
    user: source.user,
    password: source.password,
    serverId: source.serverId ?? 0,
    uuid: source.uuid ?? "",
    name: options.name,
    start: source.start,
  };
  const findings: Finding[] = [];
  let identity: SourceIdentity | undefined;
  let phase: "connecting" | "preparing" = "connecting";
  try {
    await using connection = await connectSource(
      target,
      AbortSignal.timeout(target.connectTimeoutMs),
    );
    phase = "preparing";
    findings.push(...describeConnection(connection, options));
    const session = new SourceSession(connection);
    identity = await session.identify();
    findings.push(describeServer(identity));
    const facts = await readFacts(connection, identity);
    findings.push(
      ...checkSourceSettings(facts, {
        user: source.user,
        hasCandidates: source.candidates.length > 0,
        semiSync: source.semiSync,
        ownIds: [source.serverId, options.server.serverId],
      }),
    );
    findings.push(await checkFiles(session));
    findings.push(...await checkRegistered(session, source));
    findings.push(...await checkClock(connection, now));
  } catch (error) {
    const fault = diagnose(error, phase, target);
    const advice = adviceFor(fault.cause);
    findings.push({
      level: "problem",
      what: fault.cause,
      text: advice === undefined ? fault.reason : `${fault.reason} — ${advice}`,
    });
  }
  return { identity, findings };
}

function describeConnection(
  connection: ClientConnection,
  { follow }: Options,
): Finding[] {
  const { tls, compression } = connection;
  const login: Finding = {
    level: "ok",
    what: "login",
    text: `logged in at ${connection.remote}${
      compression === undefined ? "" : `, compressed with ${compression}`
    }`,
  };
  if (tls !== undefined) {
    const isVerified = follow.tls.mode.startsWith("verify-");
    return [login, {
      level: "ok",
      what: "tls",
      text: `${tls.version}, ${tls.cipher}${
        isVerified
          ? ", the certificate was verified"
          : ", the certificate was not verified (source.tls.mode)"
      }`,
    }];
  }
  return [login, {
    level: "warning",
    what: "tls",
    text:
      "the connection is not encrypted: set source.tls.mode to required where others can listen",
  }];
}

function describeServer(
  { flavour, version, serverId, uuid }: SourceIdentity,
): Finding {
  const kind = flavour === "mariadb" ? "MariaDB" : "MySQL";
  return {
    level: "ok",
    what: "server",
    text: `${kind} ${version}, server id ${serverId}${
      uuid === "" ? "" : `, uuid ${uuid}`
    }`,
  };
}

/** The settings that matter, each asked for alone: servers know other ones. */
const VARIABLES = [
  "log_bin",
  "binlog_format",
  "binlog_checksum",
  "binlog_row_image",
  "gtid_mode",
  "enforce_gtid_consistency",
  "gtid_strict_mode",
  "sync_binlog",
  "innodb_flush_log_at_trx_commit",
  "binlog_expire_logs_seconds",
  "expire_logs_days",
  "server_id",
  "log_replica_updates",
  "log_slave_updates",
  "rpl_semi_sync_source_enabled",
  "rpl_semi_sync_master_enabled",
] as const;

async function readFacts(
  connection: ClientConnection,
  identity: SourceIdentity,
): Promise<SourceFacts> {
  const variables = new Map<string, string>();
  for (const name of VARIABLES) {
    const value = await oneValue(connection, `SELECT @@GLOBAL.${name}`);
    if (value !== undefined) variables.set(name, value);
  }
  return { identity, variables, grants: await readGrants(connection) };
}

async function readGrants(
  connection: ClientConnection,
): Promise<readonly string[]> {
  const { rows } = await connection.query("SHOW GRANTS");
  return rows.map((row) => row[0] ?? "");
}

async function oneValue(
  connection: ClientConnection,
  statement: string,
): Promise<string | undefined> {
  try {
    const { rows } = await connection.query(statement);
    return rows[0]?.[0] ?? undefined;
  } catch (error) {
    // Another version, another set of variables.
    if (error instanceof ServerError) return undefined;
    throw error;
  }
}

async function checkFiles(session: SourceSession): Promise<Finding> {
  try {
    const files = await session.files();
    const [first, last] = [files[0]!.name, files.at(-1)!.name];
    const names = first === last ? first : `${first} to ${last}`;
    const count = files.length === 1 ? "1 file" : `${files.length} files`;
    return { level: "ok", what: "files", text: `${count}: ${names}` };
  } catch (error) {
    return { level: "problem", what: "files", text: describeError(error) };
  }
}

async function checkRegistered(
  session: SourceSession,
  { serverId, uuid = "" }: NonNullable<Options["source"]>,
): Promise<Finding[]> {
  if (serverId === undefined) return [];
  const host = await session.registered({ serverId, uuid });
  if (host === undefined) return [];
  return [{
    level: "warning",
    what: "server-id",
    text:
      `a replica on ${host} is registered with server id ${serverId} or the same uuid: fine if that is this kingbus, else give it another source.server-id`,
  }];
}

async function checkClock(
  connection: ClientConnection,
  now: () => number,
): Promise<Finding[]> {
  const text = await oneValue(connection, "SELECT UNIX_TIMESTAMP()");
  if (text === undefined) return [];
  const offMs = Math.abs(now() - Number(text) * 1000);
  if (offMs <= CLOCK_MS_MAX) return [];
  return [{
    level: "warning",
    what: "clock",
    text: `the clocks of the source and of this machine differ by ${
      formatSeconds(offMs / 1000)
    }: lags will be off by that; have both set by NTP`,
  }];
}
