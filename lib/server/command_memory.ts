import {
  FREE_PAYLOAD_BYTES,
  type PayloadMemory,
} from "../protocol/payload_memory.ts";

/**
 * Memory for what logged-in clients send: commands that have not all arrived,
 * and requests of dumps that run. All sessions share it, so that it is bounded
 * however many there are and whatever they begin to send.
 */
export class CommandMemory {
  readonly #bytesMax: number;
  #held = 0;

  /** @param bytesMax for all sessions together */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes that are held now. */
  get held(): number {
    return this.#held;
  }

  /** A session's share, with nothing in it. */
  share(): CommandMemoryShare {
    return new CommandMemoryShare((bytes) => {
      if (this.#held + bytes > this.#bytesMax) return false;
      this.#held += bytes;
      return true;
    });
  }
}

/** What one session holds of it. */
export class CommandMemoryShare implements PayloadMemory {
  /** Changes what all hold; false if it would be too much. */
  readonly #change: (bytes: number) => boolean;
  #held = 0;

  constructor(change: (bytes: number) => boolean) {
    this.#change = change;
  }

  take(bytes: number): boolean {
    if (!this.#change(bytes)) return false;
    this.#held += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#held -= bytes;
    this.#change(-bytes);
  }

  /** Takes what a payload needs that is kept; false if there is not as much. */
  keep(payloadBytes: number): boolean {
    return payloadBytes <= FREE_PAYLOAD_BYTES ||
      this.take(payloadBytes - FREE_PAYLOAD_BYTES);
  }

  /** Gives everything back, at the session's end. */
  release(): void {
    this.give(this.#held);
  }
}
