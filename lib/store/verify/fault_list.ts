import type { LogFault } from "./verify_report.ts";

/** What was found to be wrong: all of it is told and counted, some is kept. */
export class FaultList {
  readonly #max: number;
  readonly #onFault: ((fault: LogFault) => void) | undefined;
  readonly #kept: LogFault[] = [];
  #count = 0;

  /**
   * @param max how many are kept: the first ones
   * @param onFault told of each at once
   */
  constructor(max: number, onFault?: (fault: LogFault) => void) {
    this.#max = max;
    this.#onFault = onFault;
  }

  /** The first ones, in the order of the log. */
  get kept(): readonly LogFault[] {
    return this.#kept;
  }

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  /** Notes one. */
  add(fault: LogFault): void {
    this.#count++;
    if (this.#kept.length < this.#max) this.#kept.push(fault);
    this.#onFault?.(fault);
  }

  /** Notes one that is in no file. */
  note(message: string): void {
    this.add({ file: "", position: undefined, block: undefined, message });
  }
}
