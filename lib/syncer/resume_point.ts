import { GtidSet } from "../gtid/gtid_set.ts";
import {
  formatMariadbGtidPosition,
  parseMariadbGtidPosition,
} from "../gtid/mariadb_gtid_position.ts";
import { MariadbGtidState } from "../gtid/mariadb_gtid_state.ts";
import { FIRST_POSITION, type StoredFile } from "../store/binlog_store.ts";
import type { Flavour, SourceIdentity } from "../store/source_identity.ts";
import { fileNumber } from "./file_number.ts";
import { lostHistory, purgedFiles } from "./lost_history.ts";
import type { SourceFile, SourceSession } from "./source_session.ts";
import { SourceError } from "./source_error.ts";

/** Where the log ends that a dump has to go on with. */
export interface LogEnd {
  readonly fileName: string;
  readonly position: number;
  readonly executed: GtidSet;
  /** The state of a MariaDB log. */
  readonly mariadb: MariadbGtidState | undefined;
  /** The files it has from the source, oldest first. */
  readonly files: readonly Pick<StoredFile, "name" | "formatDescription">[];
}

/** Where a dump begins. */
export interface ResumePoint {
  readonly fileName: string;
  readonly position: number;
  /** The source's files but the newest, which may grow: sizes by name. */
  readonly closedFiles: ReadonlyMap<string, number>;
}

/**
 * Where an empty log begins: `oldest`, `newest`, or the newest file whose
 * previous GTIDs are all in a given set; with a MariaDB source, whose begin is
 * at or before a given position by GTID.
 *
 * @throws {SourceError} `purged` when even the oldest file has earlier GTIDs;
 * `unsuitable` when what is given is for the other kind of server
 */
export async function startPoint(
  session: SourceSession,
  start: string,
  flavour: Flavour,
): Promise<ResumePoint> {
  const files = await session.files();
  const closedFiles = closedOf(files);
  const from = (fileName: string): ResumePoint => {
    return { fileName, position: FIRST_POSITION, closedFiles };
  };
  if (start === "oldest") return from(files[0]!.name);
  if (start === "newest") return from(files.at(-1)!.name);
  if (flavour === "mariadb") {
    return from(await mariadbStartFile(session, start, files));
  }
  const wanted = parsedStart(
    start,
    GtidSet.parse,
    "a GTID set such as 'd63952fd-e6f6-11f1-a979-02fc00000001:1-5'",
  );
  let previous = new GtidSet();
  for (const file of files.toReversed()) {
    previous = await session.previousGtids(file.name);
    if (wanted.containsSet(previous)) return from(file.name);
  }
  throw new SourceError(
    "purged",
    `The source purged transactions that come after source.start: its oldest file ${
      files[0]!.name
    } follows ${previous.subtract(wanted)}, which are not in ${
      wanted.isEmpty ? "the empty set" : wanted
    }; give a later set, or 'oldest'`,
  );
}

/** The newest file that has all that comes after a position by GTID. */
async function mariadbStartFile(
  session: SourceSession,
  start: string,
  files: readonly SourceFile[],
): Promise<string> {
  const wanted = parsedStart(
    start,
    parseMariadbGtidPosition,
    "a MariaDB GTID position such as '0-1-100' or '0-1-100,1-2-7'",
  );
  let before = new MariadbGtidState();
  for (const file of files.toReversed()) {
    before = await session.mariadbStateBefore(file.name);
    if (before.isBefore(wanted)) return file.name;
  }
  throw new SourceError(
    "purged",
    `The source purged transactions that come after source.start, ${
      formatMariadbGtidPosition(wanted) || "the empty position"
    }: its oldest file ${
      files[0]!.name
    } follows ${before}; give a later position, or 'oldest'`,
  );
}

/** `source.start` as the source's kind of server has it. */
function parsedStart<Start>(
  start: string,
  parse: (text: string) => Start,
  expected: string,
): Start {
  try {
    return parse(start);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SourceError(
      "unsuitable",
      `source.start is '${start}', which this source does not understand: give 'oldest', 'newest' or ${expected}`,
      { cause: error },
    );
  }
}

/**
 * Where a log that has something goes on, after making sure that the source
 * still has what comes next and shares our history.
 *
 * @param end the log's head, by the source's names
 * @throws {SourceError} `purged`, `reset` or `source-lost-events`
 */
export async function resumePoint(
  session: SourceSession,
  source: SourceIdentity,
  end: LogEnd,
): Promise<ResumePoint> {
  const files = await session.files();
  const file = files.find((one) => one.name === end.fileName);
  if (file !== undefined && file.size >= end.position) {
    if (end.mariadb === undefined) await checkHidden(session, source, end);
    else if (end.position > FIRST_POSITION) {
      await checkMariadbPosition(session, end, end.mariadb);
    }
    const { fileName, position } = end;
    return { fileName, position, closedFiles: closedOf(files) };
  }
  const lost = await lostTransactions(session, source, end);
  // Names that start over are those of a log that was reset.
  const newest = fileNumber(files.at(-1)!.name) ?? 0;
  const startsOver = newest < (fileNumber(end.fileName) ?? 0);
  if (file !== undefined || startsOver || lost !== "") {
    throw await lostHistory(session, end, files, lost);
  }
  throw purgedFiles(end, files, await missingBefore(session, end, files));
}

/** What was purged and is not here, as text; empty if nothing is known of it. */
async function missingBefore(
  session: SourceSession,
  end: LogEnd,
  files: readonly SourceFile[],
): Promise<string> {
  if (end.mariadb === undefined) {
    return (await session.purgedGtids()).subtract(end.executed).toString();
  }
  const before = await session.mariadbStateBefore(files[0]!.name);
  const missing = formatMariadbGtidPosition(end.mariadb.missing(before));
  return missing === "" ? "" : `those up to ${missing}`;
}

/**
 * Makes sure that a MariaDB server has the same transactions before the place
 * where the log goes on. Files of a log that was reset have the same names, and
 * may be long enough by now.
 */
async function checkMariadbPosition(
  session: SourceSession,
  end: LogEnd,
  ours: MariadbGtidState,
): Promise<void> {
  const { fileName, position } = end;
  const found = await session.mariadbPositionAt(fileName, position);
  if (found === undefined) return;
  const theirs = formatMariadbGtidPosition(
    MariadbGtidState.of(found).position(),
  );
  const expected = formatMariadbGtidPosition(ours.position());
  if (theirs === expected) return;
  throw new SourceError(
    "reset",
    `The source's log was reset (RESET MASTER, a data directory made anew or an old backup): at ${fileName} position ${position} it is at GTID '${theirs}', kingbus has '${expected}' there. kingbus keeps what it has and goes on serving it. To follow the source as it is now, give kingbus an empty data-dir`,
  );
}

/**
 * What is here and not at the source. Without GTIDs it knows of none, and one
 * that was restarted without them has forgotten about those in its files. Its
 * set alone proves nothing: a transaction is sent before it is counted, long
 * before where the source waits for an acknowledgement.
 */
async function lostTransactions(
  session: SourceSession,
  source: SourceIdentity,
  end: LogEnd,
): Promise<string> {
  if (end.mariadb !== undefined) {
    const state = await session.mariadbState();
    return formatMariadbGtidPosition(state.missing(end.mariadb));
  }
  if (source.gtidMode === "OFF") return "";
  return end.executed.subtract(await session.executedGtids()).toString();
}

/**
 * Makes sure that what the source has and can't send is here. Our file is
 * still there, so that nothing we need was purged with a file; from MySQL 5.7
 * on such transactions are in no file's previous GTIDs either.
 */
async function checkHidden(
  session: SourceSession,
  source: SourceIdentity,
  end: LogEnd,
): Promise<void> {
  if (source.gtidMode === "OFF") return;
  const hidden = (await session.purgedGtids()).subtract(end.executed);
  if (hidden.isEmpty) return;
  throw new SourceError(
    "hole",
    `The source has transactions that none of its binlog files holds and that kingbus has not received: ${hidden}. SET GLOBAL gtid_purged = '+…' was run there, as loading a dump of another server does, or a crash cost it the end of a file. No replica can get them from kingbus: provision replicas from a backup that has them, and give kingbus an empty data-dir`,
  );
}

function closedOf(files: readonly SourceFile[]): Map<string, number> {
  return new Map(files.slice(0, -1).map(({ name, size }) => [name, size]));
}
