import type { GtidSet } from "../gtid/gtid_set.ts";
import { MariadbGtidState } from "../gtid/mariadb_gtid_state.ts";
import { ErrorCode } from "../protocol/error_code.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import {
  type BinlogStore,
  FIRST_POSITION,
  type StoredFile,
  type StoreHead,
} from "../store/binlog_store.ts";
import type {
  DumpRequest,
  GtidDumpRequest,
  PositionDumpRequest,
} from "./dump_handler.ts";
import { FATAL_MESSAGE_BYTES_MAX, fatalDumpError } from "./fatal_dump_error.ts";
import { findMariadbStart, type MariadbStart } from "./mariadb_start.ts";

/** Where a dump begins. */
export interface DumpStart {
  readonly file: StoredFile;
  readonly position: number;
  /** What a dump by MariaDB GTIDs leaves out; undefined for any other. */
  readonly mariadb?: MariadbStart;
}

/**
 * Finds where a dump begins, with the errors of MySQL's
 * `Binlog_sender::check_start_file` (`sql/rpl_binlog_sender.cc`).
 *
 * @param modern whether the replica knows the words source and replica
 * @throws {ProtocolError} 1236; 1105, for which replicas try again, while
 * there is no log yet
 */
export function findDumpStart(
  store: BinlogStore,
  request: DumpRequest,
  modern: boolean,
): DumpStart {
  const head = store.head;
  const oldest = store.files[0];
  if (head === undefined || oldest === undefined) {
    throw new ProtocolError(
      ErrorCode.ER_UNKNOWN_ERROR,
      "kingbus has not received anything from its source yet",
    );
  }
  if (request.mode === "mariadb-gtid") {
    const state = head.mariadb ?? new MariadbGtidState();
    const mariadb = findMariadbStart(store, state, request);
    const { file, position } = mariadb;
    return { file, position, mariadb };
  }
  if (request.mode === "gtid" && request.fileName === "") {
    return gtidStart(store, head, request, modern);
  }
  const file = request.fileName === ""
    ? oldest
    : store.fileByName(baseName(request.fileName));
  if (file === undefined) {
    throw fatalDumpError(
      "Could not find first log file name in binary log index file",
    );
  }
  const source = modern ? "source" : "master";
  const position = Number(request.position);
  if (head.mariadb !== undefined) {
    if (position >= FIRST_POSITION && position <= file.size) {
      return { file, position };
    }
    throw impossiblePosition(request);
  }
  if (position < FIRST_POSITION) {
    throw fatalDumpError(
      `Client requested ${source} to start replication from position < 4`,
    );
  }
  if (position > file.size) {
    throw fatalDumpError(
      `Client requested ${source} to start replication from position > file size`,
    );
  }
  return { file, position };
}

/** In the words of MariaDB's `check_start_offset` (`sql/sql_repl.cc`). */
function impossiblePosition(
  request: GtidDumpRequest | PositionDumpRequest,
): ProtocolError {
  const file = nameInError(request);
  return fatalDumpError(
    `Client requested master to start replication from impossible position; the first event '${file}' at ${request.position}, the last event read from '${file}' at ${FIRST_POSITION}, the last byte read from '${file}' at ${FIRST_POSITION}.`,
  );
}

/** How MariaDB names the file that a client asked for: `.` if it named none. */
export function nameInError(request: DumpRequest): string {
  return baseName(request.fileName) || ".";
}

/** Replicas may send a path; MySQL looks at its last part. */
function baseName(fileName: string): string {
  return fileName.slice(fileName.lastIndexOf("/") + 1);
}

function gtidStart(
  store: BinlogStore,
  head: StoreHead,
  request: GtidDumpRequest,
  modern: boolean,
): DumpStart {
  if (aheadOf(store, head, request.executed)) throw aheadError(modern);
  const file = store.findFile(request.executed);
  if (file === undefined || !request.executed.containsSet(head.purged)) {
    throw purgedError(head.purged, request.executed, modern);
  }
  return { file, position: FIRST_POSITION };
}

/**
 * Whether the replica has transactions of the server the log comes from that
 * are not in the log.
 */
export function aheadOf(
  store: BinlogStore,
  head: StoreHead,
  executed: GtidSet,
): boolean {
  const uuid = store.files.at(-1)?.serverUuid ?? "";
  return uuid !== "" && !head.executed.containsSet(executed.restrictedTo(uuid));
}

function aheadError(modern: boolean): ProtocolError {
  return fatalDumpError(
    modern
      ? "Replica has more GTIDs than the source has, using the source's SERVER_UUID. This may indicate that the the last binary log file was truncated or lost, e.g., after a power failure when sync_binlog != 1. The source may have rolled back transactions that were already replicated to the replica. Replicate any transactions that source has rolled back from replica to source, and/or commit empty transactions on source to account for transactions that have been committed on source but are not included in GTID_EXECUTED."
      : "Slave has more GTIDs than the master has, using the master's SERVER_UUID. This may indicate that the end of the binary log was truncated or that the last binary log file was lost, e.g., after a power or disk failure when sync_binlog != 1. The master may or may not have rolled back transactions that were already replicated to the slave. Suggest to replicate any transactions that master has rolled back from slave to master, and/or commit empty transactions on master to account for transactions that have been committed on master but are not included in GTID_EXECUTED.",
  );
}

const PURGED_TEXT =
  "Cannot replicate because the source purged required binary logs. Replicate the missing transactions from elsewhere, or provision a new replica from backup. Consider increasing the source's binary log expiration period.";

/** Says which transactions are missing, unless that is more than fits (`sql/binlog.cc`). */
function purgedError(
  purged: GtidSet,
  executed: GtidSet,
  modern: boolean,
): ProtocolError {
  if (!modern) {
    return fatalDumpError(
      "The slave is connecting using CHANGE MASTER TO MASTER_AUTO_POSITION = 1, but the master has purged binary logs containing GTIDs that the slave requires.",
    );
  }
  const missing = purged.subtract(executed);
  const whole =
    `${PURGED_TEXT} The GTID set sent by the replica is '${executed.toLines()}', and the missing transactions are '${missing.toLines()}'`;
  return fatalDumpError(
    whole.length <= FATAL_MESSAGE_BYTES_MAX
      ? whole
      : `${PURGED_TEXT} The GTID sets and the missing purged transactions are too long to print in this message. For more information, please see the source's error log or the manual for GTID_SUBTRACT`,
  );
}
