import { formatMariadbGtid, type MariadbGtid } from "../gtid/mariadb_gtid.ts";
import {
  DuplicateGtidDomainError,
  parseMariadbGtidPosition,
} from "../gtid/mariadb_gtid_position.ts";
import type { MariadbGtidState } from "../gtid/mariadb_gtid_state.ts";
import { ErrorCode } from "../protocol/error_code.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import {
  type BinlogStore,
  FIRST_POSITION,
  type StoredFile,
} from "../store/binlog_store.ts";
import type { MariadbGtidDumpRequest } from "./dump_handler.ts";
import { fatalDumpError } from "./fatal_dump_error.ts";

/** How far a replica is in one domain. */
export interface MariadbDomainStart {
  /** The last transaction it has. */
  readonly gtid: MariadbGtid;
  /**
   * True if the log has nothing in the domain: whether it has that transaction
   * is looked at once something of the domain comes.
   */
  unproven: boolean;
}

/** Where a dump by MariaDB GTIDs begins, and what is left out of it. */
export interface MariadbStart {
  readonly file: StoredFile;
  readonly position: number;
  /** What to leave out up to, by domain; a domain that is missing is sent whole. */
  readonly from: Map<number, MariadbDomainStart>;
  /** Where to end, by domain; undefined for a dump without an end. */
  readonly until: Map<number, MariadbGtid> | undefined;
}

/**
 * The replica asks to begin behind a transaction that the log does not have:
 * it has another history, or the log is not as far yet.
 */
export class MariadbGtidNotFoundError extends ProtocolError {
  /** True if the log has later transactions in the domain: waiting is no use. */
  readonly diverged: boolean;

  /**
   * @param gtid what the replica has
   * @param newest the newest transaction of the domain in the log, if any
   */
  constructor(gtid: MariadbGtid, newest: MariadbGtid | undefined) {
    const diverged = newest !== undefined && newest.sequence >= gtid.sequence;
    const notFound = `Error: connecting slave requested to start from GTID ${
      formatMariadbGtid(gtid)
    }, which is not in the master's binlog`;
    super(
      ErrorCode.ER_SOURCE_FATAL_ERROR_READING_BINLOG,
      diverged
        ? `${notFound}. Since the master's binlog contains GTIDs with higher sequence numbers, it probably means that the slave has diverged due to executing extra erroneous transactions`
        : notFound,
    );
    this.diverged = diverged;
  }
}

/**
 * Finds where a dump by MariaDB GTIDs begins, as MariaDB does
 * (`check_slave_start_position` and `gtid_find_binlog_file` in its
 * `sql/sql_repl.cc`).
 *
 * @param store a MariaDB log that is not empty
 * @param state of the log at its end
 * @throws {MariadbGtidNotFoundError} 1236, if the log does not have what the
 * replica has
 * @throws {ProtocolError} 1236, if what comes after was purged; 1941 or 1943
 * for a position that is none
 */
export function findMariadbStart(
  store: BinlogStore,
  state: MariadbGtidState,
  request: MariadbGtidDumpRequest,
): MariadbStart {
  const from = new Map<number, MariadbDomainStart>();
  for (const gtid of parsePosition(request.connectState)) {
    from.set(gtid.domain, { gtid, unproven: false });
  }
  const until = request.untilGtid === undefined ? undefined : new Map(
    parsePosition(request.untilGtid).map((gtid) => [gtid.domain, gtid]),
  );
  for (const start of from.values()) {
    checkStart(state, start, until, request.ignoreDuplicates);
  }
  const files = store.files;
  for (let at = files.length - 1; at >= 0; at--) {
    const file = files[at]!;
    const before = file.mariadbStart;
    if (before !== undefined && !isCovered(before, from)) continue;
    if (before !== undefined) dropReached(before, from, until);
    return { file, position: FIRST_POSITION, from, until };
  }
  throw fatalDumpError(
    "Could not find GTID state requested by slave in any binlog files. Probably the slave state is too old and required binlog files have been purged.",
  );
}

/** In MariaDB's words: `ER_INCORRECT_GTID_STATE`, `ER_DUPLICATE_GTID_DOMAIN`. */
function parsePosition(text: string): MariadbGtid[] {
  try {
    return parseMariadbGtidPosition(text);
  } catch (cause) {
    if (cause instanceof DuplicateGtidDomainError) {
      const { first, second } = cause;
      throw new ProtocolError(
        ErrorCode.MARIADB_DUPLICATE_GTID_DOMAIN,
        `GTID ${formatMariadbGtid(second)} and ${
          formatMariadbGtid(first)
        } conflict (duplicate domain id ${first.domain})`,
        { cause },
      );
    }
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new ProtocolError(
      ErrorCode.MARIADB_INCORRECT_GTID_STATE,
      "Could not parse GTID list",
      { cause },
    );
  }
}

function checkStart(
  state: MariadbGtidState,
  start: MariadbDomainStart,
  until: Map<number, MariadbGtid> | undefined,
  ignoreDuplicates: boolean,
): void {
  const { gtid } = start;
  if (state.has(gtid)) return;
  const newest = state.lastOf(gtid.domain);
  if (newest === undefined) {
    // The replica has several sources, and another one has this domain.
    start.unproven = true;
    return;
  }
  // It may have got it by another way before us.
  if (ignoreDuplicates && newest.sequence < gtid.sequence) return;
  const end = until?.get(gtid.domain);
  if (until !== undefined && (end === undefined || state.has(end))) {
    // It is to end before it begins.
    until.delete(gtid.domain);
    return;
  }
  throw new MariadbGtidNotFoundError(gtid, newest);
}

/** Whether nothing that the replica lacks comes before a file with that state. */
function isCovered(
  before: MariadbGtidState,
  from: ReadonlyMap<number, MariadbDomainStart>,
): boolean {
  for (const domain of before.domains()) {
    const gtid = from.get(domain)?.gtid;
    if (gtid === undefined) return false;
    const sequence = before.sequenceOf(domain, gtid.server);
    if (sequence === undefined || sequence < gtid.sequence) continue;
    if (sequence > gtid.sequence) return false;
    // Others may have written after it, before the file begins.
    if (before.lastOf(domain)!.server !== gtid.server) return false;
  }
  return true;
}

/**
 * Forgets the domains in which the replica is just where the file begins: what
 * it has last is not in the file, and would be looked for in vain.
 */
function dropReached(
  before: MariadbGtidState,
  from: Map<number, MariadbDomainStart>,
  until: Map<number, MariadbGtid> | undefined,
): void {
  for (const domain of before.domains()) {
    const gtid = from.get(domain)!.gtid;
    if (before.sequenceOf(domain, gtid.server) === gtid.sequence) {
      from.delete(domain);
    }
    const end = until?.get(domain);
    if (end !== undefined && before.has(end)) until!.delete(domain);
  }
}
