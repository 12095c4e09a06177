import { checksumBytes } from "../binlog/checksum.ts";
import {
  eventSizeAt,
  eventTypeAt,
  flagsAt,
  timestampAt,
} from "../binlog/event_header.ts";
import { GtidReader } from "../binlog/gtid_event.ts";
import { MariadbGtidReader } from "../binlog/mariadb_gtid_event.ts";
import {
  BoundaryStep,
  TransactionBoundary,
} from "../binlog/transaction_boundary.ts";
import { FIRST_POSITION, type StoredFile } from "../store/binlog_store.ts";
import { EventScanner, type EventSink } from "../store/event_scanner.ts";
import { findMariadbTransaction } from "../store/find_mariadb_transaction.ts";
import type { LogSnapshot } from "../store/log_snapshot.ts";
import { ExportError } from "./export_error.ts";
import type { StopAt } from "./stop_at.ts";

/** Where an export ends, between two transactions. */
export interface StopPoint {
  /** The last file with anything in it. */
  readonly fileNumber: number;
  /** Position in it after the last event. */
  readonly position: number;
}

/**
 * Finds where an export ends: after the transaction of a GTID, or before the
 * first transaction that has an event of a time or later. That is where
 * `mysqlbinlog --stop-datetime` stops, except that it may stop inside a
 * transaction.
 *
 * @param log what is exported
 * @param first number of the first file
 * @param stop what to look for
 * @param signal ends the search
 * @returns undefined when all of the log is before that time
 * @throws {ExportError} `nothing` when there is nothing before it, or no such
 * transaction
 */
export async function findStop(
  log: LogSnapshot,
  first: number,
  stop: StopAt,
  signal?: AbortSignal,
): Promise<StopPoint | undefined> {
  if (stop.kind === "gtid") return await findGtid(log, first, stop, signal);
  if (stop.kind === "mariadb") {
    return await findMariadb(log, first, stop, signal);
  }
  for (const file of log.files) {
    if (file.number < first) continue;
    if (!await mayHaveTime(log, file, stop.seconds)) continue;
    const search = new StopSearch(file, stop);
    await scan(log, file, search, signal);
    if (!search.found) continue;
    if (search.hasTransaction) {
      return { fileNumber: file.number, position: search.position };
    }
    // Nothing of this file is before it: the export ends with the last one.
    const before = log.files.find(({ number }) => number === file.number - 1);
    if (before !== undefined && before.number >= first) {
      return { fileNumber: before.number, position: before.size };
    }
    throw new ExportError(
      "nothing",
      `Nothing to export: ${file.name} has no transaction before ${stop.text}`,
    );
  }
  return undefined;
}

async function findGtid(
  log: LogSnapshot,
  first: number,
  stop: StopAt & { kind: "gtid" },
  signal: AbortSignal | undefined,
): Promise<StopPoint> {
  const { set, text } = stop;
  const { head } = log;
  if (head?.purged.containsSet(set)) {
    throw new ExportError(
      "nothing",
      `Nothing to export: ${text} was purged; the log begins with ${
        log.files[0]!.name
      }`,
    );
  }
  if (!head?.executed.containsSet(set)) {
    throw new ExportError(
      "nothing",
      `Nothing to export: the log has no transaction ${text}`,
    );
  }
  // Its file is the last one that does not have it behind it.
  const file = log.files.findLast((one) => !one.previousGtids.containsSet(set));
  if (file !== undefined && file.number >= first) {
    const search = new StopSearch(file, stop);
    await scan(log, file, search, signal);
    if (search.found) {
      return { fileNumber: file.number, position: search.position };
    }
  }
  throw new ExportError(
    "nothing",
    `Nothing to export: ${text} is ${
      file === undefined
        ? "in no file of the log"
        : `in ${file.name}, before the first file`
    }`,
  );
}

async function findMariadb(
  log: LogSnapshot,
  first: number,
  stop: StopAt & { kind: "mariadb" },
  signal: AbortSignal | undefined,
): Promise<StopPoint> {
  const { gtid, text } = stop;
  const at = await findMariadbTransaction(log, gtid, signal);
  const file = log.files.find(({ number }) => number === at?.fileNumber);
  if (file === undefined) {
    throw new ExportError(
      "nothing",
      `Nothing to export: ${
        log.files[0]?.mariadbStart?.has(gtid)
          ? `${text} was purged; the log begins with ${log.files[0].name}`
          : `the log has no transaction ${text}`
      }`,
    );
  }
  if (file.number < first) {
    throw new ExportError(
      "nothing",
      `Nothing to export: ${text} is in ${file.name}, before the first file`,
    );
  }
  const search = new StopSearch(file, stop);
  await scan(log, file, search, signal);
  return { fileNumber: file.number, position: search.position };
}

/** Whether any block of the file has an event of that time or later. */
async function mayHaveTime(
  log: LogSnapshot,
  file: StoredFile,
  seconds: number,
): Promise<boolean> {
  const start = { fileNumber: file.number, position: FIRST_POSITION };
  const reader = await log.openReader(start);
  for (;;) {
    const summary = await reader.peek();
    // The last block of an open file has no summary: look at it.
    if (summary === undefined) return await reader.next() !== undefined;
    if (summary.lastTimestamp >= seconds) return true;
    reader.skip();
  }
}

async function scan(
  log: LogSnapshot,
  file: StoredFile,
  search: StopSearch,
  signal: AbortSignal | undefined,
): Promise<void> {
  const start = { fileNumber: file.number, position: FIRST_POSITION };
  const reader = await log.openReader(start);
  const scanner = new EventScanner(search, FIRST_POSITION);
  while (!search.found) {
    signal?.throwIfAborted();
    const slice = await reader.next();
    if (slice === undefined) return;
    scanner.push(slice.bytes);
  }
}

/** Looks for the stop among the events of one file. */
class StopSearch implements EventSink {
  /** Whether the stop was found. */
  found = false;
  /** Position of the last transaction boundary before it, or of its own end. */
  position: number = FIRST_POSITION;
  /** Whether a transaction ends before it. */
  hasTransaction = false;
  readonly #stop: StopAt;
  readonly #boundary = new TransactionBoundary();
  readonly #gtid = new GtidReader();
  readonly #mariadbGtid = new MariadbGtidReader();
  readonly #trailerBytes: number;
  // The transaction that was looked for has begun.
  #wanted = false;
  #largeStep: BoundaryStep = BoundaryStep.INSIDE;
  #largeEnd = 0;

  constructor(file: StoredFile, stop: StopAt) {
    this.#stop = stop;
    this.#trailerBytes = checksumBytes(file.checksumAlgorithm);
  }

  event(
    bytes: Uint8Array,
    start: number,
    end: number,
    position: number,
  ): void {
    if (this.found) return;
    const type = eventTypeAt(bytes, start);
    if (this.#isLate(bytes, start)) return;
    const size = end - start;
    const step = this.#boundary.step(
      type,
      bytes,
      start,
      size,
      this.#trailerBytes,
    );
    if (this.#stop.kind === "gtid" && this.#gtid.read(bytes, start, size)) {
      const { uuid, tag, gno } = this.#gtid;
      if (this.#stop.set.has(uuid, tag, gno)) this.#wanted = true;
    } else if (
      this.#stop.kind === "mariadb" &&
      this.#mariadbGtid.read(bytes, start, size - this.#trailerBytes)
    ) {
      const { domain, server, sequence } = this.#mariadbGtid;
      const { gtid } = this.#stop;
      if (
        sequence === gtid.sequence && server === gtid.server &&
        domain === gtid.domain
      ) this.#wanted = true;
    }
    this.#stepped(step, position + size);
  }

  largeStart(
    bytes: Uint8Array,
    start: number,
    _end: number,
    position: number,
  ): void {
    if (this.found || this.#isLate(bytes, start)) return;
    const type = eventTypeAt(bytes, start);
    this.#largeStep = this.#boundary.stepLarge(type, flagsAt(bytes, start));
    this.#largeEnd = position + eventSizeAt(bytes, start);
  }

  largePart(): void {
    // Only where the event ends is of interest.
  }

  largeEnd(): void {
    if (!this.found) this.#stepped(this.#largeStep, this.#largeEnd);
  }

  #isLate(bytes: Uint8Array, start: number): boolean {
    const stop = this.#stop;
    if (stop.kind !== "time") return false;
    this.found = timestampAt(bytes, start) >= stop.seconds;
    return this.found;
  }

  #stepped(step: BoundaryStep, end: number): void {
    if (step === BoundaryStep.INSIDE) return;
    this.position = end;
    if (step === BoundaryStep.ENDS) this.hasTransaction = true;
    if (this.#wanted) this.found = true;
  }
}
