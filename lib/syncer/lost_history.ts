import { GtidSet } from "../gtid/gtid_set.ts";
import { fileNumber, neighbour } from "./file_number.ts";
import type { LogEnd } from "./resume_point.ts";
import { isSameFile } from "./same_file.ts";
import { SourceError } from "./source_error.ts";
import type { SourceFile, SourceSession } from "./source_session.ts";

const ANEW =
  "To follow the source as it is now, give kingbus an empty data-dir";

/**
 * What to say of a source that does not have what it once sent: whether its log
 * was reset, or has lost its end. Asks for the begin of a file both have, which
 * uses the session up.
 *
 * @param end where the log here ends
 * @param files the source's files
 * @param lost GTIDs that are here and that the source does not have, as text
 */
export async function lostHistory(
  session: SourceSession,
  end: LogEnd,
  files: readonly SourceFile[],
  lost: string,
): Promise<SourceError> {
  const newest = files.at(-1)!;
  const unsent = await unsentTransactions(session, end, files);
  const what = [
    ...lost === ""
      ? []
      : [` It does not have transactions that it once sent: ${lost}.`],
    ...unsent.isEmpty ? [] : [
      ` It has transactions that it once sent in none of its files: ${unsent}.`,
    ],
  ].join("");
  const at = `${end.fileName} position ${end.position}`;
  const other = await otherFile(session, end, files);
  if (other !== undefined) {
    return new SourceError(
      "reset",
      `The source's log was reset (RESET MASTER, RESET BINARY LOGS AND GTIDS, or a data directory made anew): ${other}; its newest file is ${newest.name} of ${newest.size} bytes, kingbus has received all up to ${at}.${what} kingbus keeps what it has and goes on serving it. ${ANEW}`,
    );
  }
  return new SourceError(
    "source-lost-events",
    `The source has lost the end of its log, or was restored from a backup: kingbus has received all up to ${at}, the source has ${
      sizeOf(end.fileName, files)
    }.${what} kingbus goes on serving what it has: make a replica that has it all the source, or bring the lost transactions back from one. ${ANEW}`,
  );
}

/** The error for files that the source has purged before they were received. */
export function purgedFiles(
  end: LogEnd,
  files: readonly SourceFile[],
  missing: string,
): SourceError {
  const oldest = files[0]!.name;
  const last = neighbour(oldest, -1);
  const to = last === undefined || last === end.fileName ? "" : ` to ${last}`;
  const lost = missing === ""
    ? "No transaction with a GTID is missing"
    : `The missing transactions are ${missing}`;
  return new SourceError(
    "purged",
    `The source has purged what comes next: it has no file ${end.fileName} any more, in which kingbus stopped at position ${end.position}; its oldest is ${oldest}. Missing is ${end.fileName} from there${to}. ${lost}. Append the missing files with 'kingbus import' if a backup or a replica of kingbus's source has them, else give kingbus an empty data-dir to follow the source from ${oldest}; let the source keep its files longer (binlog_expire_logs_seconds)`,
  );
}

/**
 * What is here, and of what the source knows only that it executed it. MySQL 8
 * keeps that in a table, which a crash that costs the end of a file can spare.
 */
async function unsentTransactions(
  session: SourceSession,
  end: LogEnd,
  files: readonly SourceFile[],
): Promise<GtidSet> {
  if (end.mariadb !== undefined) return new GtidSet();
  const purged = await session.purgedGtids();
  const before = await session.previousGtids(files[0]!.name);
  const inNoFile = purged.subtract(before);
  return inNoFile.subtract(inNoFile.subtract(end.executed));
}

/**
 * Says why the source's files are not ours of the same names, if so. The oldest
 * that both have tells: what was restored from a backup shares its past with us.
 */
async function otherFile(
  session: SourceSession,
  end: LogEnd,
  files: readonly SourceFile[],
): Promise<string | undefined> {
  const names = new Set(files.map(({ name }) => name));
  const common = end.files.find(({ name }) => names.has(name));
  if (common === undefined) {
    const newest = files.at(-1)!.name;
    const restarted =
      (fileNumber(newest) ?? 0) < (fileNumber(end.fileName) ?? 0);
    return restarted
      ? `it has none of the files that kingbus has, and begins at ${
        files[0]!.name
      }`
      : undefined;
  }
  // A server that was restarted goes on in a new file.
  if (common.name === files.at(-1)!.name) {
    return `its file ${common.name}, which it writes, has less than kingbus has of it`;
  }
  const format = await session.formatDescription(common.name);
  return isSameFile(format, common.formatDescription)
    ? undefined
    : `its file ${common.name} is not the one that kingbus has`;
}

function sizeOf(name: string, files: readonly SourceFile[]): string {
  const file = files.find((one) => one.name === name);
  return file === undefined
    ? `no file ${name}, and ${files.at(-1)!.name} as its newest`
    : `${file.size} bytes of ${name}`;
}
