import { assertEquals } from "@std/assert";
import { crc32 } from "../../lib/binlog/checksum.ts";
import { eventTypeAt, timestampAt } from "../../lib/binlog/event_header.ts";
import { EventType } from "../../lib/binlog/event_type.ts";
import { decodeGtid } from "../../lib/binlog/gtid_event.ts";
import { formatGtid, type Gtid } from "../../lib/gtid/gtid.ts";
import { GtidSet } from "../../lib/gtid/gtid_set.ts";
import type { StoreHead } from "../../lib/store/binlog_store.ts";
import type { LogSnapshot } from "../../lib/store/log_snapshot.ts";
import { joinBytes } from "./dump_packets.ts";
import { readFile } from "./read_stored_file.ts";

/** A place between two transactions, and what is true there. */
export interface NaiveBoundary {
  /** Files that have begun. */
  readonly files: number;
  /** Events of the newest of them. */
  readonly events: number;
  readonly fileName: string;
  readonly position: number;
  readonly executed: string;
  readonly lastGtid: string;
  readonly lastTimestamp: number;
}

interface NaiveFile {
  readonly name: string;
  readonly previous: GtidSet;
  readonly events: Uint8Array[];
}

/** What a log has to show, kept in the plainest way. */
export class NaiveLog {
  readonly #files: NaiveFile[] = [];
  readonly #purged: GtidSet;
  #executed: GtidSet;
  #lastGtid = "";
  // Events behind the newest boundary.
  readonly #open: Uint8Array[] = [];
  /** Every place that was a boundary, oldest first, not counting the start. */
  readonly boundaries: NaiveBoundary[] = [];
  /** How many files were purged. */
  purgedFiles = 0;

  /** @param purged GTIDs from before the first file */
  constructor(purged: GtidSet = new GtidSet()) {
    this.#purged = purged;
    this.#executed = purged.clone();
  }

  /** The newest boundary; undefined while there is none. */
  get newest(): NaiveBoundary | undefined {
    return this.boundaries.at(-1);
  }

  /** Begins a file. */
  startFile(name: string): void {
    this.#files.push({ name, previous: this.#executed.clone(), events: [] });
  }

  /** Appends events; a boundary after them if they end a transaction. */
  append(events: readonly Uint8Array[], whole = true): void {
    const file = this.#files.at(-1)!;
    file.events.push(...events);
    this.#open.push(...events);
    if (!whole) return;
    for (const gtid of gtidsOf(this.#open.splice(0))) {
      this.#executed.add(gtid.uuid, gtid.tag, gtid.gno);
      this.#lastGtid = formatGtid(gtid);
    }
    this.boundaries.push({
      files: this.#files.length,
      events: file.events.length,
      fileName: file.name,
      position: 4 + sizeOf(file.events),
      executed: this.#executed.toString(),
      lastGtid: this.#lastGtid,
      lastTimestamp: timestampAt(file.events.at(-1)!, 0),
    });
  }

  /** Forgets what lies behind a boundary, the newest one if none is given. */
  goBackTo(boundary: NaiveBoundary | undefined = this.newest): void {
    const kept = boundary === undefined
      ? 0
      : this.boundaries.indexOf(boundary) + 1;
    this.boundaries.length = kept;
    this.#open.length = 0;
    this.#files.length = boundary?.files ?? 0;
    this.#executed = boundary === undefined
      ? this.#purged.clone()
      : GtidSet.parse(boundary.executed);
    this.#lastGtid = boundary?.lastGtid ?? "";
    if (boundary !== undefined) {
      this.#files.at(-1)!.events.length = boundary.events;
    }
  }

  /** GTIDs of the whole transactions appended. */
  get executed(): GtidSet {
    return this.#executed;
  }

  /**
   * Purges files, never the one of the newest boundary.
   *
   * @param upTo number of the first file that stays
   */
  purge(upTo: number): void {
    const most = (this.newest?.files ?? 1) - 1;
    this.purgedFiles = Math.max(this.purgedFiles, Math.min(upTo - 1, most));
  }

  /** GTIDs from before the first file once so many files were purged. */
  purged(files: number): GtidSet {
    const purged = this.#purged.clone();
    for (const { events } of this.#files.slice(0, files)) {
      for (const { uuid, tag, gno } of gtidsOf(events)) {
        purged.add(uuid, tag, gno);
      }
    }
    return purged;
  }

  /** The raw bytes of a file from position 4 on, up to a boundary. */
  bytes(index: number, boundary: NaiveBoundary): Uint8Array {
    return joinBytes(this.#events(index, boundary));
  }

  /** Where the events of a file begin, and where the last one ends. */
  positions(index: number, boundary: NaiveBoundary): number[] {
    const positions = [4];
    for (const event of this.#events(index, boundary)) {
      positions.push(positions.at(-1)! + event.length);
    }
    return positions;
  }

  #events(index: number, boundary: NaiveBoundary): Uint8Array[] {
    const { events } = this.#files[index]!;
    return index === boundary.files - 1
      ? events.slice(0, boundary.events)
      : events;
  }

  /**
   * Checks that a store shows the log up to a boundary, bytes included.
   *
   * @param purgedFiles how many files were purged
   */
  async assertShown(
    store: LogSnapshot,
    boundary: NaiveBoundary | undefined,
    purgedFiles: number = this.purgedFiles,
  ): Promise<void> {
    const purged = this.purged(purgedFiles);
    assertEquals(describeHead(store.head), expectedHead(boundary, purged));
    if (boundary === undefined) {
      assertEquals(store.files, []);
      return;
    }
    for (let index = purgedFiles; index < boundary.files; index++) {
      const { name, previous } = this.#files[index]!;
      const file = store.files[index - purgedFiles]!;
      const events = this.#events(index, boundary);
      assertEquals({
        number: file.number,
        name: file.name,
        size: file.size,
        closed: file.closed || index === boundary.files - 1,
        previousGtids: brief(file.previousGtids.toString()),
        formatDescription: file.formatDescription,
        firstTimestamp: file.firstTimestamp,
        lastTimestamp: file.lastTimestamp,
      }, {
        number: index + 1,
        name,
        size: 4 + sizeOf(events),
        closed: true,
        previousGtids: brief(previous.toString()),
        formatDescription: events[0]!,
        firstTimestamp: timestampAt(events[0]!, 0),
        lastTimestamp: timestampAt(events.at(-1)!, 0),
      });
      assertSameBytes(await readFile(store, file), joinBytes(events));
    }
    assertEquals(store.files.length, boundary.files - purgedFiles);
  }
}

/** A head's fields as they can be compared. */
export interface HeadDescription {
  readonly fileNumber: number;
  readonly fileName: string;
  readonly position: number;
  readonly executed: string;
  readonly purged: string;
  readonly lastGtid: string;
  readonly lastTimestamp: number;
}

/** A head's fields, for comparisons. */
export function describeHead(
  head: StoreHead | undefined,
): HeadDescription | undefined {
  if (head === undefined) return undefined;
  return {
    fileNumber: head.fileNumber,
    fileName: head.fileName,
    position: head.position,
    executed: brief(head.executed.toString()),
    purged: brief(head.purged.toString()),
    lastGtid: head.lastGtid,
    lastTimestamp: head.lastTimestamp,
  };
}

function expectedHead(
  boundary: NaiveBoundary | undefined,
  purged: GtidSet,
): HeadDescription | undefined {
  if (boundary === undefined) return undefined;
  return {
    fileNumber: boundary.files,
    fileName: boundary.fileName,
    position: boundary.position,
    executed: brief(boundary.executed),
    purged: brief(purged.toString()),
    lastGtid: boundary.lastGtid,
    lastTimestamp: boundary.lastTimestamp,
  };
}

/** Checks bytes without printing megabytes when they differ. */
export function assertSameBytes(
  actual: Uint8Array,
  expected: Uint8Array,
): void {
  assertEquals(actual.length, expected.length);
  for (let at = 0; at < actual.length; at++) {
    if (actual[at] === expected[at]) continue;
    assertEquals(
      { at, bytes: actual.slice(at, at + 16) },
      { at, bytes: expected.slice(at, at + 16) },
    );
  }
}

/** A text that can be printed when it is not what it should be. */
function brief(text: string): string {
  if (text.length < 400) return text;
  const sum = crc32(new TextEncoder().encode(text)).toString(16);
  return `${text.slice(0, 100)}… ${text.length} characters, CRC-32 ${sum}`;
}

function gtidsOf(events: readonly Uint8Array[]): Gtid[] {
  return events
    .filter((event) => eventTypeAt(event, 0) === EventType.GTID)
    .map((event) => decodeGtid(event)!);
}

function sizeOf(events: readonly Uint8Array[]): number {
  return events.reduce((sum, event) => sum + event.length, 0);
}
