import { isMariadb } from "./server_version.ts";
import type { SourceChange } from "./source_control.ts";
import { SOURCE_OPTIONS } from "./source_option.ts";
import { sourceStatusColumns, sourceStatusRow } from "./source_status.ts";
import type { StatementContext } from "./statement_context.ts";
import type { StatementCursor } from "./statement_cursor.ts";
import {
  notSupported,
  StatementError,
  StatementFault,
} from "./statement_error.ts";
import type { StatementResult } from "./statement_result.ts";

/** `SHOW REPLICA STATUS [FOR CHANNEL '']`. */
export function showReplicaStatus(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  expectOnlyChannel(cursor, context);
  return sourceStatus(context, { oldWords: false, all: false });
}

/** `SHOW SLAVE STATUS [FOR CHANNEL '']`. */
export function showSlaveStatus(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  expectOnlyChannel(cursor, context);
  return sourceStatus(context, { oldWords: true, all: false });
}

/** `SHOW SLAVE 'connection' STATUS`, after the word SLAVE. */
export function showNamedSlaveStatus(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  expectOnlyConnection(cursor);
  cursor.expectWords("STATUS");
  return sourceStatus(context, { oldWords: true, all: false });
}

/** `SHOW ALL SLAVES STATUS`. */
export function showAllSlavesStatus(
  cursor: StatementCursor,
  context: StatementContext,
): StatementResult {
  // tools try this one first, to see whether the server is MariaDB's
  if (!isMariadb(context.server.version)) throw cursor.unexpected();
  return sourceStatus(context, { oldWords: true, all: true });
}

/** No row while no source was ever given, as a server that is no replica. */
function sourceStatus(
  { source, server, session, log }: StatementContext,
  words: { oldWords: boolean; all: boolean },
): StatementResult {
  const form = { ...words, version: server.version };
  const status = source();
  return {
    kind: "rows",
    columns: sourceStatusColumns(form, session.characterSet),
    rows: status === undefined ? [] : [
      sourceStatusRow(form, {
        source: status,
        gtidMode: server.gtidMode,
        executed: () => log?.executed() ?? "",
      }),
    ],
  };
}

/**
 * `START {REPLICA | SLAVE} [IO_THREAD] [, SQL_THREAD] [FOR CHANNEL '']`, after
 * those words (manual: "START REPLICA Statement").
 *
 * @throws {StatementError} 1064; 1235 for what kingbus has not, by its name
 */
export function startReplica(
  cursor: StatementCursor,
  { server }: StatementContext,
): StatementResult {
  if (isMariadb(server.version)) expectOnlyConnectionIfAny(cursor);
  const threads = takeThreads(cursor);
  if (cursor.atWords("UNTIL")) {
    throw notSupported("UNTIL", "kingbus keeps the whole log of its source");
  }
  for (const word of ["USER", "PASSWORD", "DEFAULT_AUTH", "PLUGIN_DIR"]) {
    if (!cursor.atWords(word)) continue;
    throw notSupported(
      word,
      "give the account by CHANGE REPLICATION SOURCE TO, which keeps it",
    );
  }
  expectOnlyChannel(cursor, { server });
  return { kind: "source", action: { kind: "start", threads } };
}

/** `STOP {REPLICA | SLAVE} …`, after those words. */
export function stopReplica(
  cursor: StatementCursor,
  { server }: StatementContext,
): StatementResult {
  if (isMariadb(server.version)) expectOnlyConnectionIfAny(cursor);
  const threads = takeThreads(cursor);
  expectOnlyChannel(cursor, { server });
  if (threads === "sql") {
    throw notSupported(
      "STOP REPLICA SQL_THREAD",
      "kingbus applies nothing, so there is no such thread: STOP REPLICA ends the following of the source",
    );
  }
  return { kind: "source", action: { kind: "stop", threads } };
}

/** `START ALL SLAVES`. */
export function startAllSlaves(): StatementResult {
  return { kind: "source", action: { kind: "start", threads: "all" } };
}

/** `STOP ALL SLAVES`. */
export function stopAllSlaves(): StatementResult {
  return { kind: "source", action: { kind: "stop", threads: "all" } };
}

/** The threads that START and STOP name. */
function takeThreads(cursor: StatementCursor): "all" | "io" | "sql" {
  let io = false;
  let sql = false;
  const takeOne = (): boolean => {
    const word = cursor.takeAnyWord("IO_THREAD", "RELAY_THREAD", "SQL_THREAD");
    if (word === "SQL_THREAD") sql = true;
    else if (word !== undefined) io = true;
    return word !== undefined;
  };
  if (takeOne()) {
    while (cursor.takeSymbol(",")) {
      if (!takeOne()) throw cursor.unexpected();
    }
  }
  if (io === sql) return "all";
  return io ? "io" : "sql";
}

/**
 * `CHANGE REPLICATION SOURCE TO option = value [, …] [FOR CHANNEL '']`, or
 * `CHANGE MASTER ['connection'] TO …`, after the word SOURCE or MASTER (manual:
 * "CHANGE REPLICATION SOURCE TO Statement"). Nothing is passed over in silence:
 * what kingbus can't do is refused by name.
 *
 * @throws {StatementError} 1064 for what is no option of any server; 1235 for
 * one that kingbus has not; 1210 for a value that can't be
 */
export function changeSource(
  cursor: StatementCursor,
  { server }: StatementContext,
): StatementResult {
  if (isMariadb(server.version)) expectOnlyConnectionIfAny(cursor);
  cursor.expectWords("TO");
  const change: { -readonly [Key in keyof SourceChange]: SourceChange[Key] } =
    {};
  const seen = new Set<string>();
  do {
    const { kind, value } = cursor.token;
    const name = value.toUpperCase();
    const option = SOURCE_OPTIONS.get(name.replace(/^MASTER_/, "SOURCE_"));
    if (kind !== "word" || option === undefined || seen.has(name)) {
      throw cursor.unexpected();
    }
    seen.add(name);
    cursor.take();
    cursor.expectSymbol("=");
    const { tls, ...read } = option.read(cursor, name);
    Object.assign(change, read);
    if (tls !== undefined) change.tls = { ...change.tls, ...tls };
  } while (cursor.takeSymbol(","));
  expectOnlyChannel(cursor, { server });
  return { kind: "source", action: { kind: "change", change } };
}

/** Statements that would change what is kept, and do not. */
export function refuseReset(
  cursor: StatementCursor,
  _context: StatementContext,
): StatementResult {
  // whatever follows, it is not done
  while (!cursor.atEnd && !cursor.atSymbol(";")) cursor.take();
  throw notSupported(
    "RESET",
    "replicas go on reading the log that is kept; to begin a new one, start kingbus with another data-dir",
  );
}

/** There is one channel, and it has no name. */
function expectOnlyChannel(
  cursor: StatementCursor,
  { server }: Pick<StatementContext, "server">,
): void {
  if (!cursor.takeWords("FOR", "CHANNEL")) return;
  const name = cursor.expectNameOrString();
  if (name === "") return;
  // to MariaDB a channel is a connection
  if (isMariadb(server.version)) throw noSuchConnection(name);
  throw new StatementError(
    StatementFault.ER_REPLICA_CHANNEL_DOES_NOT_EXIST,
    `Replica channel '${name.slice(0, 64)}' does not exist.`,
  );
}

/** As for MySQL's channels, of MariaDB's connections, which are named first. */
function expectOnlyConnection(cursor: StatementCursor): void {
  const name = cursor.expectString();
  if (name !== "") throw noSuchConnection(name);
}

function noSuchConnection(name: string): StatementError {
  return new StatementError(
    StatementFault.ER_NO_SUCH_MASTER_CONNECTION,
    `There is no master connection '${name.slice(0, 64)}'`,
  );
}

function expectOnlyConnectionIfAny(cursor: StatementCursor): void {
  if (cursor.token.kind === "string") expectOnlyConnection(cursor);
}
