import { describeError } from "../../log/describe_error.ts";
import type { Log } from "../../log/log.ts";
import { EventReader } from "./event_reader.ts";
import { eventText, KEEP_ALIVE_TEXT } from "./event_text.ts";
import type { Every } from "./every.ts";
import type { LiveStatus } from "./live_status.ts";
import type { RecentWarnings } from "./recent_warnings.ts";
import type { Sampler } from "./sampler.ts";
import { StuckReaderError } from "./stuck_reader_error.ts";

/** How many may read at once. */
export const READERS_MAX = 32;

/** How often they are told how it is. */
const TICK_MS = 1_000;

/**
 * Of the time, the part that goes into making statuses: where one takes long, as
 * with a thousand replicas, the next one comes later than the next second.
 */
const STATUS_SHARE = 1 / 300;

/** How old a status may get by that. */
const STATUS_MS_MAX = 5_000;

/** How long a reader may take nothing. */
const STUCK_MS_MAX = 30_000;

/**
 * How long one stream goes on; then it is to be asked for again, with a token
 * that is taken then. What a node that does little says in an hour fits the
 * buffers of the network: a reader that reads none of it looks like any other.
 */
const READ_MS_MAX = 10 * 60_000;

/** When a browser that lost the stream asks for it again. */
const RETRY_MS = 2_000;

/** What readers are told, and by which clock. */
export interface LiveFeedParts {
  readonly sampler: Pick<Sampler, "history" | "newest" | "taken">;
  readonly warnings: Pick<RecentWarnings, "version" | "since">;
  /** All there is to say now; asked once a second at most, while somebody reads. */
  readonly status: () => LiveStatus;
  /** Milliseconds of a clock that never jumps. */
  readonly monotonicMs: () => number;
  readonly every: Every;
  /** How long one stream goes on, in ms, where it is not ten minutes. */
  readonly readMsMax?: number | undefined;
  readonly log: Log;
}

/**
 * The stream of `GET /status/stream`: however many read it, one status is made a
 * second, fewer where that takes long, and none while nobody reads. Each event stands for itself, so that a
 * reader that is slow misses some and goes on with the newest.
 *
 * ```text
 * stream  = history status second*
 * second  = [warning*] [sample] [status] | comment | history status
 * ```
 *
 * The last form is for a reader that has missed something. It ends in order
 * after {@linkcode READ_MS_MAX}.
 */
export class LiveFeed implements Disposable {
  readonly #parts: LiveFeedParts;
  readonly #readers = new Set<EventReader>();
  readonly #encoder = new TextEncoder();
  #timer: Disposable | undefined;
  #closed = false;
  #lastId = 0;
  /** What readers were told last: new ones begin with the same. */
  #statusJson = "";
  #historyJson = "";
  /** When there is to be another one, by the clock that never jumps. */
  #statusDueMs = 0;
  /** How much of the samples and warnings they were told. */
  #taken = 0;
  #version = 0;

  constructor(parts: LiveFeedParts) {
    this.#parts = parts;
  }

  /** How many read. */
  get readers(): number {
    return this.#readers.size;
  }

  /**
   * A new reader's stream, or why there is none.
   *
   * @param closing ends it, in order
   */
  open(closing: AbortSignal): ReadableStream<Uint8Array> | "full" | "closed" {
    if (this.#closed) return "closed";
    if (this.#readers.size >= READERS_MAX) return "full";
    const { monotonicMs, every } = this.#parts;
    if (this.#timer === undefined) {
      this.#begin();
      this.#timer = every(TICK_MS, () => this.#tick());
    }
    const close = () => reader.close();
    const reader: EventReader = new EventReader(
      this.#encoder.encode(`retry: ${RETRY_MS}\n\n${this.#all()}`),
      monotonicMs,
      () => {
        closing.removeEventListener("abort", close);
        this.#forget(reader);
      },
    );
    this.#readers.add(reader);
    closing.addEventListener("abort", close, { once: true });
    if (closing.aborted) close();
    return reader.body;
  }

  /** Ends all streams; there are no new ones. */
  [Symbol.dispose](): void {
    this.#closed = true;
    for (const reader of this.#readers) reader.close();
  }

  #forget(reader: EventReader): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  /** Has the first reader told what is so now. */
  #begin(): void {
    const { sampler, warnings, status } = this.#parts;
    this.#statusJson = JSON.stringify(status());
    this.#statusDueMs = 0;
    this.#historyJson = "";
    this.#taken = sampler.taken;
    this.#version = warnings.version;
  }

  #tick(): void {
    try {
      this.#tell();
    } catch (error) {
      // A timer's fault would end the process.
      this.#parts.log.error("the status stream failed; it can be read again", {
        error: describeError(error),
      });
      for (const reader of this.#readers) reader.close();
    }
  }

  #tell(): void {
    const news = this.#encoder.encode(this.#news());
    const { readMsMax = READ_MS_MAX } = this.#parts;
    let all: Uint8Array | undefined;
    for (const reader of this.#readers) {
      reader.offer(news, () => all ??= this.#encoder.encode(this.#all()));
      const { stuckMs, ageMs } = reader;
      if (ageMs > readMsMax && stuckMs === 0) reader.close();
      if (stuckMs <= STUCK_MS_MAX) continue;
      const reason = new StuckReaderError(Math.round(stuckMs));
      this.#parts.log.info(reason.message);
      reader.cut(reason);
    }
  }

  /** What is new since the last second. */
  #news(): string {
    const { sampler, warnings } = this.#parts;
    const json = this.#newestStatus();
    let text = "";
    for (const value of warnings.since(this.#version)) {
      text += eventText(++this.#lastId, "warning", { value });
    }
    this.#version = warnings.version;
    if (sampler.taken !== this.#taken) {
      this.#taken = sampler.taken;
      this.#historyJson = "";
      const value = sampler.newest;
      text += eventText(++this.#lastId, "sample", { value });
    }
    if (json !== this.#statusJson) {
      this.#statusJson = json;
      text += eventText(++this.#lastId, "status", { json });
    }
    return text === "" ? KEEP_ALIVE_TEXT : text;
  }

  /** The status as it is now, or was when it last was time to make it. */
  #newestStatus(): string {
    const { monotonicMs, status } = this.#parts;
    const beginMs = monotonicMs();
    if (beginMs < this.#statusDueMs) return this.#statusJson;
    const json = JSON.stringify(status());
    const endMs = monotonicMs();
    this.#statusDueMs = endMs +
      Math.min((endMs - beginMs) / STATUS_SHARE, STATUS_MS_MAX - TICK_MS);
    return json;
  }

  /** What a reader has to know that knows nothing, as the others know it. */
  #all(): string {
    return eventText(++this.#lastId, "history", { json: this.#history() }) +
      eventText(++this.#lastId, "status", { json: this.#statusJson });
  }

  /** The samples that were told, made to text once for all who come. */
  #history(): string {
    if (this.#historyJson !== "") return this.#historyJson;
    const { sampler } = this.#parts;
    const { samples, ...history } = sampler.history();
    const told = samples.length - (sampler.taken - this.#taken);
    this.#historyJson = JSON.stringify({
      ...history,
      samples: samples.slice(0, Math.max(0, told)),
    });
    return this.#historyJson;
  }
}
