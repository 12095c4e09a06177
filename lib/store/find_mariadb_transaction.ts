import { checksumBytes } from "../binlog/checksum.ts";
import { MariadbGtidReader } from "../binlog/mariadb_gtid_event.ts";
import type { MariadbGtid } from "../gtid/mariadb_gtid.ts";
import {
  FIRST_POSITION,
  type LogPosition,
  type StoredFile,
} from "./binlog_store.ts";
import { EventScanner, type EventSink } from "./event_scanner.ts";
import type { LogSnapshot } from "./log_snapshot.ts";

/**
 * Where a transaction of a MariaDB log begins. The states at the begins of files
 * tell which one it is in, as long as sequence numbers only go up; where it is
 * not there, every other file is read as well, the newest first.
 *
 * @param log what to look through
 * @param gtid the transaction
 * @param signal ends the search
 * @returns undefined when the log's files do not have it
 * @throws {StoreError} when the log can't be read
 */
export async function findMariadbTransaction(
  log: LogSnapshot,
  gtid: MariadbGtid,
  signal?: AbortSignal,
): Promise<LogPosition | undefined> {
  const state = log.head?.mariadb;
  if (state === undefined || state.lastOf(gtid.domain) === undefined) {
    return undefined;
  }
  const likely = log.files.findLast((file) => !file.mariadbStart?.has(gtid));
  const others = log.files.filter((file) => file !== likely).toReversed();
  for (const file of likely === undefined ? others : [likely, ...others]) {
    const search = new GtidSearch(file, gtid);
    const position = await search.in(log, file, signal);
    if (position !== undefined) return { fileNumber: file.number, position };
  }
  return undefined;
}

/** Looks for a GTID among the events of one file. */
class GtidSearch implements EventSink {
  readonly #wanted: MariadbGtid;
  readonly #reader = new MariadbGtidReader();
  readonly #trailerBytes: number;
  #found: number | undefined;

  constructor(file: StoredFile, wanted: MariadbGtid) {
    this.#wanted = wanted;
    this.#trailerBytes = checksumBytes(file.checksumAlgorithm);
  }

  async in(
    log: LogSnapshot,
    file: StoredFile,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    const start = { fileNumber: file.number, position: FIRST_POSITION };
    const reader = await log.openReader(start);
    const scanner = new EventScanner(this, FIRST_POSITION);
    while (this.#found === undefined) {
      signal?.throwIfAborted();
      const slice = await reader.next();
      if (slice === undefined) break;
      scanner.push(slice.bytes);
    }
    return this.#found;
  }

  event(bytes: Uint8Array, start: number, end: number, position: number): void {
    const reader = this.#reader;
    if (this.#found !== undefined) return;
    if (!reader.read(bytes, start, end - start - this.#trailerBytes)) return;
    const { domain, server, sequence } = this.#wanted;
    if (
      reader.sequence === sequence && reader.server === server &&
      reader.domain === domain
    ) this.#found = position;
  }

  largeStart(): void {
    // No event with a GTID is large.
  }

  largePart(): void {
    // As above.
  }

  largeEnd(): void {
    // As above.
  }
}
