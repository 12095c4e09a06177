import {
  type DescribedFormat,
  EventDescriber,
} from "../binlog/describe_event.ts";
import {
  eventSizeAt,
  serverIdAt,
  timestampAt,
} from "../binlog/event_header.ts";
import { decodeFormatDescription } from "../binlog/format_description.ts";
import {
  type BinlogStore,
  FIRST_POSITION,
  type StoredFile,
} from "./binlog_store.ts";
import { EventScanner, type EventSink } from "./event_scanner.ts";

/** One event of a file, as SHOW BINLOG EVENTS lists it. */
export interface ListedEvent {
  /** Its type's name. */
  readonly type: string;
  /** Position in the file; of a compressed event where the next one begins. */
  readonly position: number;
  /** Bytes of it. */
  readonly size: number;
  /** Position after it. */
  readonly endPosition: number;
  /** Seconds since 1970; 0 for none. */
  readonly timestamp: number;
  /** Server id of the server that first wrote it. */
  readonly serverId: number;
  /** What it says. */
  readonly info: string;
  /** The GTID it announces. */
  readonly gtid?: string;
  /** The database it says it is about. */
  readonly database?: string;
  /** The table, likewise. */
  readonly table?: string;
  /** Whether it is compressed in the event before it. */
  readonly isInner: boolean;
}

/** What is listed. */
export interface ListOptions {
  /** Position of the first event; the file's first one if absent. */
  readonly from?: number;
  /** Ends the listing with its reason when it fires. */
  readonly signal?: AbortSignal;
}

/**
 * How much of an event is looked at: more than any but rows and statements
 * have to say, of which the begin is enough.
 */
const LOOK_BYTES_MAX = 1024 * 1024;

/**
 * Lists the events of a file up to its visible end, in runs as they are read.
 *
 * @throws {StoreError} `position-inside-event` and others as `openReader`
 */
export async function* listEvents(
  log: Pick<BinlogStore, "openReader">,
  file: StoredFile,
  options: ListOptions = {},
): AsyncGenerator<readonly ListedEvent[]> {
  const position = options.from ?? FIRST_POSITION;
  const end = file.size;
  const reader = await log.openReader({ fileNumber: file.number, position });
  const { serverVersion } = decodeFormatDescription(file.formatDescription);
  const lister = new Lister({
    serverVersion,
    algorithm: file.checksumAlgorithm,
  });
  const scanner = new EventScanner(lister, position);
  while (scanner.position < end || scanner.isInside) {
    options.signal?.throwIfAborted();
    const slice = await reader.next();
    if (slice === undefined) return;
    scanner.push(slice.bytes);
    const listed = lister.take();
    if (listed.length > 0) yield listed;
  }
}

/** Describes the events of slices. */
class Lister implements EventSink {
  readonly #describer: EventDescriber;
  #listed: ListedEvent[] = [];
  // The begin of the large event under way, and how much of it there is.
  #large = new Uint8Array(0);
  #largeBytes = 0;
  #largePosition = 0;

  constructor(format: DescribedFormat) {
    this.#describer = new EventDescriber(format);
  }

  /** What was listed since the last call. */
  take(): readonly ListedEvent[] {
    const listed = this.#listed;
    this.#listed = [];
    return listed;
  }

  event(
    bytes: Uint8Array,
    start: number,
    end: number,
    position: number,
  ): void {
    this.#add(bytes.subarray(start, end), position);
  }

  largeStart(
    bytes: Uint8Array,
    start: number,
    end: number,
    position: number,
  ): void {
    const size = eventSizeAt(bytes, start);
    this.#large = new Uint8Array(Math.min(size, LOOK_BYTES_MAX));
    this.#largeBytes = 0;
    this.#largePosition = position;
    this.largePart(bytes, start, end);
  }

  largePart(bytes: Uint8Array, start: number, end: number): void {
    const room = this.#large.length - this.#largeBytes;
    const part = bytes.subarray(start, Math.min(end, start + room));
    this.#large.set(part, this.#largeBytes);
    this.#largeBytes += part.length;
  }

  largeEnd(): void {
    this.#add(this.#large, this.#largePosition);
    this.#large = new Uint8Array(0);
  }

  #add(event: Uint8Array, position: number): void {
    const { inner, ...described } = this.#describer.describe(event);
    const size = eventSizeAt(event, 0);
    const endPosition = position + size;
    this.#listed.push({
      position,
      size,
      endPosition,
      timestamp: timestampAt(event, 0),
      serverId: serverIdAt(event, 0),
      ...described,
      isInner: false,
    });
    for (const one of inner ?? []) {
      const { inner: _, ...fields } = one;
      this.#listed.push({
        ...fields,
        position: endPosition,
        endPosition,
        isInner: true,
      });
    }
  }
}
