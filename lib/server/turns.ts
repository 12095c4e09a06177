import { setImmediate } from "node:timers";

/** A unit of work, in ms: a step of a login, or a small statement. */
const UNIT_MS = 0.1;
/** Nobody waits for longer because of one piece of work, however large it was. */
const UNITS_MAX = 100;

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
  #waiting: (() => void)[] = [];
  /** How many of them have gone. */
  #gone = 0;

  /**
   * @param unitsPerTurn what may be done in a turn, in units of a tenth of a
   * millisecond; a dump that sends needs some of them in each
   * @param nextTurn calls once everything else that is ready had its turn
   */
  constructor(
    unitsPerTurn: number,
    nextTurn: (work: () => void) => void = (work) => void setImmediate(work),
  ) {
    this.#unitsPerTurn = unitsPerTurn;
    this.#nextTurn = nextTurn;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length - this.#gone;
  }

  /** Resolves when it is the caller's turn to do a unit of work. */
  take(): Promise<void> {
    this.#schedule();
    if (this.waiting === 0 && this.#done < this.#unitsPerTurn) {
      this.#done += 1;
      return Promise.resolve();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    return promise;
  }

  /**
   * Notes that what was taken has kept everybody else waiting for so long: if
   * that is more than a unit, whoever comes next waits as many turns.
   */
  spent(ms: number): void {
    const units = Math.min(ms / UNIT_MS, UNITS_MAX);
    this.#done += Math.max(0, units - 1);
    this.#schedule();
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
      const go = this.#waiting[this.#gone]!;
      this.#gone += 1;
      this.#done += 1;
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
