import type { EngineBatch } from "../../lib/store/block_engine.ts";
import { MemoryEngine } from "../../lib/store/memory_engine.ts";

/** Lets things pass, or holds them up. */
export class Gate {
  readonly #waiting: (() => void)[] = [];
  #isShut = false;
  /** How many have come to the gate. */
  arrived = 0;

  /** Holds up whoever comes from now on. */
  shut(): void {
    this.#isShut = true;
  }

  /** Lets one pass that waits. */
  letOnePass(): void {
    this.#waiting.shift()?.();
  }

  /** Lets all pass, from now on too. */
  open(): void {
    this.#isShut = false;
    for (const pass of this.#waiting.splice(0)) pass();
  }

  /** Comes to the gate. */
  async pass(): Promise<void> {
    this.arrived++;
    if (!this.#isShut) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/**
 * An engine in memory whose answers can be held up: a commit before it is
 * written or after, blocks after they were read.
 */
export class GatedEngine extends MemoryEngine {
  /** Where commits wait to be written. */
  readonly commits = new Gate();
  /** Where commits wait that were written. */
  readonly answers = new Gate();
  /** Where blocks wait that are to be removed. */
  readonly removals = new Gate();
  /** Where blocks wait that were read. */
  readonly reads = new Gate();
  /** What was committed, in order. */
  readonly batches: EngineBatch[] = [];
  /** Thrown by the next commit. */
  fault: Error | undefined;
  /** Thrown by reads that were held up. */
  readFault: Error | undefined;
  #underWay = 0;
  /** The most commits that were under way at a time. */
  atOnceMax = 0;

  override async commit(batch: EngineBatch): Promise<void> {
    this.atOnceMax = Math.max(this.atOnceMax, ++this.#underWay);
    try {
      await this.commits.pass();
      if (this.fault !== undefined) {
        const fault = this.fault;
        this.fault = undefined;
        throw fault;
      }
      await super.commit(batch);
      this.batches.push(batch);
      await this.answers.pass();
    } finally {
      this.#underWay--;
    }
  }

  override async removeBlocks(first: number, count: number): Promise<void> {
    await this.removals.pass();
    await super.removeBlocks(first, count);
  }

  override async readBlocks(
    first: number,
    count: number,
  ): Promise<readonly (Uint8Array | undefined)[]> {
    const blocks = await super.readBlocks(first, count);
    await this.reads.pass();
    if (this.readFault !== undefined) throw this.readFault;
    return blocks;
  }
}
