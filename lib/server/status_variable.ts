import { isMariadb, isMysqlAtLeast } from "./server_version.ts";
import type { StatementContext } from "./statement_context.ts";

/** A status variable this server has. */
export interface StatusVariable {
  readonly name: string;
  /** The server's value. */
  readonly value: string;
  /** The asking session's, where that is another one. */
  readonly sessionValue?: string;
}

/**
 * The status variables, sorted by name as `SHOW STATUS` lists them (manual:
 * "Server Status Variables"). All of them are counted or looked up; what this
 * server does not have is not there, rather than 0.
 */
export function statusVariables(
  context: StatementContext,
): readonly StatusVariable[] {
  return [
    ...serverVariables(context),
    ...sessionVariables(context),
    ...semiSyncVariables(context),
    ...sourceVariables(context),
    ...statementVariables(context),
  ].sort((a, b) => a.name < b.name ? -1 : 1);
}

function serverVariables(context: StatementContext): StatusVariable[] {
  const { counters, refusals, ...tally } = context.tally();
  const uptimeS = Math.floor((context.nowMs - tally.startedAtMs) / 1000);
  const refused = Object.values(refusals)
    .reduce((sum, count) => sum + count, 0);
  const values: Readonly<Record<string, number>> = {
    Aborted_clients: counters.abortedClients,
    Aborted_connects: refused,
    Connection_errors_max_connections: refusals["too-many-connections"],
    Connections: counters.connections,
    Max_used_connections: counters.connectionsMax,
    Queries: counters.questions,
    Questions: counters.questions,
    Threads_connected: tally.connected,
    Threads_running: tally.running,
    Uptime: uptimeS,
    Uptime_since_flush_status: uptimeS,
  };
  return Object.entries(values).map(([name, value]) => ({
    name,
    value: value.toString(),
  }));
}

function sessionVariables(
  { session, tally }: StatementContext,
): StatusVariable[] {
  const { counters } = tally();
  const { link, compression } = session;
  return [
    {
      name: "Bytes_received",
      value: counters.bytesReceived.toString(),
      sessionValue: link.bytesReceived.toString(),
    },
    {
      name: "Bytes_sent",
      value: counters.bytesSent.toString(),
      sessionValue: link.bytesSent.toString(),
    },
    { name: "Compression", value: compression === undefined ? "OFF" : "ON" },
    { name: "Compression_algorithm", value: compression?.algorithm ?? "" },
    { name: "Compression_level", value: `${compression?.level ?? 0}` },
    { name: "Ssl_cipher", value: link.tlsCipher },
    { name: "Ssl_version", value: link.tlsVersion },
  ];
}

/** The source side's variables, by the pairs of words that the version has. */
function semiSyncVariables(context: StatementContext): StatusVariable[] {
  const { server } = context;
  const { semiSync } = context.tally();
  if (server.semiSync === undefined || semiSync === undefined) return [];
  const values: Readonly<Record<string, string>> = {
    clients: semiSync.clients.toString(),
    no_times: semiSync.timeouts.toString(),
    no_tx: semiSync.unacknowledged.toString(),
    status: semiSync.degraded ? "OFF" : "ON",
    yes_tx: semiSync.acknowledged.toString(),
  };
  return wordsOf(server.version).flatMap(({ source }) =>
    Object.entries(values).map(([end, value]) => ({
      name: `Rpl_semi_sync_${source}_${end}`,
      value,
    }))
  );
}

/** How the source is followed. */
function sourceVariables(context: StatementContext): StatusVariable[] {
  const { version } = context.server;
  const source = context.source();
  const running = source?.state === "following" ? "ON" : "OFF";
  const hasRunning = isMariadb(version) || !isMysqlAtLeast(version, 8, 0, 0);
  return [
    ...hasRunning ? [{ name: "Slave_running", value: running }] : [],
    ...source === undefined ? [] : wordsOf(version).map(({ replica }) => ({
      name: `Rpl_semi_sync_${replica}_status`,
      value: source.semiSync ? "ON" : "OFF",
    })),
  ];
}

/** The plugin with the new words came with 8.0.26, that with the old ones went with 9.0. */
function wordsOf(version: string): { source: string; replica: string }[] {
  return [
    ...isMysqlAtLeast(version, 9, 0, 0)
      ? []
      : [{ source: "master", replica: "slave" }],
    ...isMysqlAtLeast(version, 8, 0, 26)
      ? [{ source: "source", replica: "replica" }]
      : [],
  ];
}

const NEW_WORDS = /replica|binary_log_status/;
const OLD_WORDS = /slave|master/;

/** How often each statement was sent, by the names that the version has. */
function statementVariables(
  { server, tally }: StatementContext,
): StatusVariable[] {
  const { statements } = tally().counters;
  const hasNew = isMysqlAtLeast(server.version, 8, 0, 22);
  const hasOld = !isMysqlAtLeast(server.version, 8, 4, 0);
  return [...statements]
    .filter(([name]) => hasNew || !NEW_WORDS.test(name))
    .filter(([name]) => hasOld || !OLD_WORDS.test(name))
    .map(([name, count]) => ({ name, value: count.toString() }));
}
