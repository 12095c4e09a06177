import { GtidSet } from "../../gtid/gtid_set.ts";
import { MariadbGtidState } from "../../gtid/mariadb_gtid_state.ts";
import type { BlockSummary } from "../binlog_store.ts";
import type { FileRecord, HeadRecord } from "../block_engine.ts";
import { sameBytes } from "../same_bytes.ts";
import type { LogTally } from "./log_tally.ts";

const SUMMARY_FIELDS = [
  "fileNumber",
  "startPosition",
  "endPosition",
  "firstEventOffset",
  "firstEventPosition",
  "firstTimestamp",
  "lastTimestamp",
  "endsInside",
  "checksum",
] as const;

const HEAD_FIELDS = [
  "fileNumber",
  "position",
  "block",
  "offset",
  "blockStartPosition",
  "blockFirstEventOffset",
  "blockFirstEventPosition",
] as const;

const FILE_FIELDS = [
  "firstBlock",
  "checksumAlgorithm",
  "firstTimestamp",
] as const;

/** Fields of a file that has ended. */
const CLOSED_FIELDS = ["size", "closed", "lastTimestamp"] as const;

/** Says of each field of a block's summary that is not as expected. */
export function* compareSummary(
  found: BlockSummary,
  expected: BlockSummary,
): Generator<string> {
  for (const field of SUMMARY_FIELDS) {
    if (found[field] !== expected[field]) {
      yield differs(field, found[field], expected[field]);
    }
  }
  // It may be set without need: see `builderAtHead`.
  if (!found.hasControl && expected.hasControl) {
    yield differs("hasControl", false, true);
  }
  if (!found.began.equals(expected.began)) {
    yield differs("began", `${found.began}`, `${expected.began}`);
  }
}

/**
 * Says of each field of a file's record that is not as expected.
 *
 * @param isOpen whether the file goes on
 */
export function* compareFile(
  found: FileRecord,
  expected: FileRecord,
  isOpen: boolean,
): Generator<string> {
  const fields = isOpen ? FILE_FIELDS : [...FILE_FIELDS, ...CLOSED_FIELDS];
  for (const field of fields) {
    if (found[field] !== expected[field]) {
      yield differs(field, found[field], expected[field]);
    }
  }
  if (!sameBytes(found.formatDescription, expected.formatDescription)) {
    yield "has another format description than the file itself";
  }
  const sets = [found, expected].map(({ previousGtids }) =>
    previousGtids.length === 0 ? new GtidSet() : GtidSet.decode(previousGtids)
  );
  if (!sets[0]!.equals(sets[1]!)) {
    yield differs("previousGtids", `${sets[0]}`, `${sets[1]}`);
  }
  yield* compareStates(
    "mariadbStart",
    found.mariadbStart,
    expected.mariadbStart,
  );
}

/** Says of each field of the head's record that is not as expected. */
export function* compareHead(
  found: HeadRecord,
  expected: HeadRecord,
  tally: LogTally,
): Generator<string> {
  for (const field of HEAD_FIELDS) {
    if (found[field] !== expected[field]) {
      yield differs(field, found[field], expected[field]);
    }
  }
  if (
    expected.lastTimestamp !== 0 &&
    found.lastTimestamp !== expected.lastTimestamp
  ) yield differs("lastTimestamp", found.lastTimestamp, expected.lastTimestamp);
  // The newest transaction may be in a file that was purged.
  if (tally.transactions > 0 && found.lastGtid !== expected.lastGtid) {
    yield differs("lastGtid", found.lastGtid, expected.lastGtid);
  }
  yield* compareStates("mariadb", found.mariadb, expected.mariadb);
  const executed = GtidSet.decode(found.executed);
  if (executed.equals(tally.executed)) return;
  const extra = executed.subtract(tally.executed);
  const lacking = tally.executed.subtract(executed);
  if (!extra.isEmpty) {
    yield `counts transactions as executed that no file has: ${extra}`;
  }
  if (!lacking.isEmpty) {
    yield `does not count transactions as executed that files have: ${lacking}`;
  }
}

/** Says of two encoded states of a MariaDB log that they are not the same. */
function* compareStates(
  field: string,
  found: Uint8Array | undefined,
  expected: Uint8Array | undefined,
): Generator<string> {
  const [left, right] = [found, expected].map((bytes) =>
    bytes && MariadbGtidState.decode(bytes)
  );
  if (left === right) return;
  if (left !== undefined && right !== undefined && left.equals(right)) return;
  yield differs(field, left ?? "none", right ?? "none");
}

function differs(field: string, found: unknown, expected: unknown): string {
  return `has ${field} ${found}, expected ${expected}`;
}
