import { setImmediate } from "node:timers";

/**
 * What is done in one turn of the event loop at most, in units of about a tenth
 * of a millisecond. A dump that sends does some hundred kilobytes in one.
 */
const UNITS_PER_TURN = 4;

/**
 * Shares the event loop between those who only want something answered and the
 * dumps: logins, commands and new connections are done a few at a time, then
 * everything else that is ready comes first. Without others they go on in the
 * very next turn, so nothing is held up on an idle server; in a flood they wait
 * for each other, first come first served, and dumps keep most of the time.
 */
export class Turns {
  readonly #unitsPerTurn: number;
  readonly #nextTurn: (work: () => void) => void;
  /** Units done in this turn, and those of earlier ones that were too many. */
  #done = 0;
  #scheduled = false;
  #waiting: { units: number; go: () => void }[] = [];
  /** How many of them have gone. */
  #gone = 0;

  /**
   * @param unitsPerTurn what may be done in a turn
   * @param nextTurn calls once everything else that is ready had its turn
   */
  constructor(
    unitsPerTurn: number = UNITS_PER_TURN,
    nextTurn: (work: () => void) => void = (work) => void setImmediate(work),
  ) {
    this.#unitsPerTurn = unitsPerTurn;
    this.#nextTurn = nextTurn;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length - this.#gone;
  }

  /**
   * Resolves when it is the caller's turn to do so much; the one after a large
   * piece of work waits as many turns as that was too much for one.
   */
  take(units = 1): Promise<void> {
    this.#schedule();
    if (this.waiting === 0 && this.#done < this.#unitsPerTurn) {
      this.#done += units;
      return Promise.resolve();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ units, go: resolve });
    return promise;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#nextTurn(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    this.#done = Math.max(0, this.#done - this.#unitsPerTurn);
    while (this.waiting > 0 && this.#done < this.#unitsPerTurn) {
      const { units, go } = this.#waiting[this.#gone]!;
      this.#gone += 1;
      this.#done += units;
      go();
    }
    if (this.waiting === 0) {
      this.#waiting = [];
      this.#gone = 0;
    } else if (this.#gone > 1000) {
      this.#waiting.splice(0, this.#gone);
      this.#gone = 0;
    }
    if (this.waiting > 0 || this.#done > 0) this.#schedule();
  }
}
