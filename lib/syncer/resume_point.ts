import { GtidSet } from "../gtid/gtid_set.ts";
import { FIRST_POSITION } from "../store/binlog_store.ts";
import type { SourceIdentity } from "../store/source_identity.ts";
import type { SourceSession } from "./source_session.ts";
import { SourceError } from "./source_error.ts";

/** Where the log ends that a dump has to go on with. */
export interface LogEnd {
  readonly fileName: string;
  readonly position: number;
  readonly executed: GtidSet;
}

/** Where a dump begins. */
export interface ResumePoint {
  readonly fileName: string;
  readonly position: number;
}

/**
 * Where an empty log begins: `oldest`, `newest`, or the newest file whose
 * previous GTIDs are all in a given set.
 *
 * @throws {SourceError} `hole` when even the oldest file has earlier GTIDs
 */
export async function startPoint(
  session: SourceSession,
  start: string,
): Promise<ResumePoint> {
  const files = await session.files();
  if (start === "oldest") {
    return { fileName: files[0]!.name, position: FIRST_POSITION };
  }
  if (start === "newest") {
    return { fileName: files.at(-1)!.name, position: FIRST_POSITION };
  }
  const wanted = GtidSet.parse(start);
  let previous = new GtidSet();
  for (const file of files.toReversed()) {
    previous = await session.previousGtids(file.name);
    if (wanted.containsSet(previous)) {
      return { fileName: file.name, position: FIRST_POSITION };
    }
  }
  throw new SourceError(
    "hole",
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
 * @param end the log's head
 * @param logUuid UUID of the server the log came from
 * @throws {SourceError} `other-source` or `hole`
 */
export async function resumePoint(
  session: SourceSession,
  source: SourceIdentity,
  end: LogEnd,
  logUuid: string,
): Promise<ResumePoint> {
  if (source.uuid !== logUuid) {
    throw new SourceError(
      "other-source",
      `The source is server ${source.uuid}, the log holds the files of server ${logUuid}; point kingbus at that server, or give it another data-dir`,
    );
  }
  if (source.gtidMode === "ON") {
    const lost = end.executed.subtract(await session.executedGtids());
    if (!lost.isEmpty) {
      throw new SourceError(
        "hole",
        `The source does not have transactions it once sent: ${lost}. It was reset or restored from a backup; give kingbus another data-dir to follow it from here`,
      );
    }
  }
  const files = await session.files();
  const file = files.find((one) => one.name === end.fileName);
  if (file === undefined) {
    throw new SourceError(
      "hole",
      `The source has no file ${end.fileName} any more, in which kingbus stopped at position ${end.position}; its oldest is ${
        files[0]!.name
      }. Transactions in between are lost to kingbus; give it another data-dir to follow the source from here`,
    );
  }
  if (file.size < end.position) {
    throw new SourceError(
      "hole",
      `The source's file ${file.name} has ${file.size} bytes, kingbus has received ${end.position}: the source lost the end of its log or was reset; give kingbus another data-dir to follow it from here`,
    );
  }
  return { fileName: end.fileName, position: end.position };
}
