import type { SemiSyncAck } from "../protocol/semi_sync.ts";
import type { AckGate } from "../semi_sync/ack_gate.ts";
import type { BinlogStore, LogPosition } from "../store/binlog_store.ts";

/**
 * Positions that wait at most; beyond this the newest one takes the place of
 * the one before it, which loses nothing: an acknowledgement is for all before.
 */
const WAITING_MAX = 4096;

/** What an acknowledger works with. */
export interface AcknowledgerParts {
  readonly store: BinlogStore;
  /** Says how far enough replicas have the log; absent: none is waited for. */
  readonly gate?: AckGate | undefined;
  /** Milliseconds since some moment. */
  readonly now: () => number;
  /**
   * Sends an acknowledgement to the source; answers whether that was possible.
   * Never rejects.
   */
  send(ack: SemiSyncAck): Promise<boolean>;
}

/** An event that the source waits for. */
interface Wanted {
  /** Where it ends in the log kept here. */
  readonly fileName: string;
  readonly position: number;
  /** What the source calls that place. */
  readonly ack: SemiSyncAck;
  /** Where it is in the log, once it is durable; and when that was seen. */
  durable: LogPosition | undefined;
  durableAt: number;
}

/**
 * Acknowledges to the source what it waits for: never before the bytes are on
 * disk and, where replicas are waited for, enough of them have them too.
 *
 * Never holds the stream up. One acknowledgement is on its way at a time; what
 * could be acknowledged meanwhile is so by the newest one alone.
 */
export class SourceAcknowledger implements Disposable {
  readonly #parts: AcknowledgerParts;
  readonly #wanted: Wanted[] = [];
  readonly #stop = new AbortController();
  readonly #unsubscribe: () => void;
  /** How many of the first ones are durable. */
  #durable = 0;
  #watching = false;
  #sending = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param parts what it works with */
  constructor(parts: AcknowledgerParts) {
    this.#parts = parts;
    this.#unsubscribe = parts.gate?.onChange(() => this.#advance()) ??
      (() => {});
  }

  /** Events that the source waits for. */
  get waiting(): number {
    return this.#wanted.length;
  }

  /**
   * The source waits for the log up to there.
   *
   * @param fileName file of the log kept here
   * @param position in it
   * @param ack how to say that to the source
   */
  wanted(fileName: string, position: number, ack: SemiSyncAck): void {
    if (this.#wanted.length >= WAITING_MAX) {
      this.#wanted.pop();
      this.#durable = Math.min(this.#durable, this.#wanted.length);
    }
    this.#wanted.push({
      fileName,
      position,
      ack,
      durable: undefined,
      durableAt: 0,
    });
    if (!this.#watching) void this.#watchHead();
  }

  /** Acknowledges nothing any more. */
  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#unsubscribe();
    clearTimeout(this.#timer);
    this.#parts.gate?.forgetAsked();
  }

  /** Looks at the log's end whenever it has moved, as long as something waits. */
  async #watchHead(): Promise<void> {
    const { store } = this.#parts;
    const { signal } = this.#stop;
    this.#watching = true;
    while (this.#durable < this.#wanted.length) {
      const version = store.head?.version ?? 0;
      this.#advance();
      if (this.#durable === this.#wanted.length) break;
      if (!await store.waitForHead(version, { signal })) return;
    }
    this.#watching = false;
  }

  /** Sends the newest acknowledgement that may be sent, if there is a new one. */
  #advance(): void {
    if (this.#stop.signal.aborted) return;
    this.#noteDurable();
    if (this.#sending) return;
    const { gate } = this.#parts;
    let count = 0;
    while (count < this.#durable) {
      if (gate?.allows(this.#wanted[count]!.durable!) === false) break;
      count++;
    }
    this.#watchClock(count);
    if (count === 0) return;
    const { ack } = this.#wanted[count - 1]!;
    this.#wanted.splice(0, count);
    this.#durable -= count;
    gate?.passed(count);
    void this.#send(ack);
  }

  /** Notes what has become durable. */
  #noteDurable(): void {
    const { store, gate, now } = this.#parts;
    while (this.#durable < this.#wanted.length) {
      const wanted = this.#wanted[this.#durable]!;
      const durable = durablePosition(store, wanted);
      if (durable === undefined) return;
      wanted.durable = durable;
      wanted.durableAt = now();
      this.#durable++;
      gate?.asked(durable);
    }
  }

  /** Sees to it that the first one that waits for replicas does not do so for ever. */
  #watchClock(first: number): void {
    const { gate, now } = this.#parts;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (gate === undefined || first >= this.#durable) return;
    const { durable, durableAt } = this.#wanted[first]!;
    const leftMs = durableAt + gate.timeoutMs - now();
    this.#timer = setTimeout(
      () => {
        gate.expire(durable!);
        this.#advance();
      },
      Math.max(0, leftMs),
    );
  }

  async #send(ack: SemiSyncAck): Promise<void> {
    this.#sending = true;
    const sent = await this.#parts.send(ack);
    this.#sending = false;
    if (sent) this.#advance();
  }
}

/** Where an event is in the log, if everything up to its end is durable. */
function durablePosition(
  store: BinlogStore,
  { fileName, position }: Wanted,
): LogPosition | undefined {
  const { head } = store;
  if (head === undefined) return undefined;
  if (head.fileName === fileName) {
    return head.position < position
      ? undefined
      : { fileNumber: head.fileNumber, position };
  }
  // The head is in a later file, or in an earlier one while this is not seen yet.
  const file = store.fileByName(fileName);
  return file && { fileNumber: file.number, position };
}
