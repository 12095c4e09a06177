import { GtidSet } from "../gtid/gtid_set.ts";
import { FIRST_POSITION, type StoredFile } from "../store/binlog_store.ts";
import type { SourceIdentity } from "../store/source_identity.ts";
import { fileNumber } from "./file_number.ts";
import { lostHistory, purgedFiles } from "./lost_history.ts";
import type { SourceFile, SourceSession } from "./source_session.ts";
import { SourceError } from "./source_error.ts";

/** Where the log ends that a dump has to go on with. */
export interface LogEnd {
  readonly fileName: string;
  readonly position: number;
  readonly executed: GtidSet;
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
 * previous GTIDs are all in a given set.
 *
 * @throws {SourceError} `purged` when even the oldest file has earlier GTIDs
 */
export async function startPoint(
  session: SourceSession,
  start: string,
): Promise<ResumePoint> {
  const files = await session.files();
  const closedFiles = closedOf(files);
  const from = (fileName: string): ResumePoint => {
    return { fileName, position: FIRST_POSITION, closedFiles };
  };
  if (start === "oldest") return from(files[0]!.name);
  if (start === "newest") return from(files.at(-1)!.name);
  const wanted = GtidSet.parse(start);
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
    await checkHidden(session, source, end);
    const { fileName, position } = end;
    return { fileName, position, closedFiles: closedOf(files) };
  }
  const lost = await lostTransactions(session, source, end);
  // Names that start over are those of a log that was reset.
  const newest = fileNumber(files.at(-1)!.name) ?? 0;
  const startsOver = newest < (fileNumber(end.fileName) ?? 0);
  if (file !== undefined || startsOver || !lost.isEmpty) {
    throw await lostHistory(session, end, files, lost);
  }
  const missing = (await session.purgedGtids()).subtract(end.executed);
  throw purgedFiles(end, files, missing);
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
): Promise<GtidSet> {
  if (source.gtidMode === "OFF") return new GtidSet();
  return end.executed.subtract(await session.executedGtids());
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
