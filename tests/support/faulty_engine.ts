import { StoreError } from "../../lib/store/binlog_store.ts";
import type {
  BlockEngine,
  EngineBatch,
  EngineDiskUse,
  EngineState,
} from "../../lib/store/block_engine.ts";

/** When a disk fails, counted over all that have it open. */
export class FaultPlan {
  /** Number of the write that fails, from 1. */
  readonly failAt: number;
  /** Whether that write is on disk all the same. */
  readonly isWritten: boolean;
  /** How many writes there were. */
  writes = 0;

  /** See the fields. */
  constructor(failAt: number, isWritten: boolean) {
    this.failAt = failAt;
    this.isWritten = isWritten;
  }

  /** Does a write, or fails it. */
  async write<T>(write: () => Promise<T>): Promise<T> {
    if (++this.writes !== this.failAt) return await write();
    if (this.isWritten) await write();
    throw new StoreError("io", "made to fail");
  }
}

/** An engine whose n-th commit fails. */
export class FaultyEngine implements BlockEngine {
  readonly #engine: BlockEngine;
  readonly #plan: FaultPlan;

  /** @param engine does the work until then */
  constructor(engine: BlockEngine, plan: FaultPlan) {
    this.#engine = engine;
    this.#plan = plan;
  }

  load(): Promise<EngineState> {
    return this.#engine.load();
  }

  commit(batch: EngineBatch): Promise<void> {
    return this.#plan.write(() => this.#engine.commit(batch));
  }

  readBlocks(
    first: number,
    count: number,
  ): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#engine.readBlocks(first, count);
  }

  removeBlocks(first: number, count: number): Promise<void> {
    return this.#plan.write(() => this.#engine.removeBlocks(first, count));
  }

  shrink(keepBytes: number): Promise<boolean> {
    return this.#engine.shrink(keepBytes);
  }

  diskUse(): Promise<EngineDiskUse> {
    return this.#engine.diskUse();
  }

  readSummaries(
    first: number,
    count: number,
  ): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#engine.readSummaries(first, count);
  }

  getMeta(name: string): Promise<unknown> {
    return this.#engine.getMeta(name);
  }

  setMeta(name: string, value: unknown): Promise<void> {
    return this.#engine.setMeta(name, value);
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}

/** A database of which the n-th write fails: all that `KvEngine` uses of one. */
export class FaultyKv {
  readonly #kv: Deno.Kv;
  readonly #plan: FaultPlan;

  /** @param kv does the work until then */
  constructor(kv: Deno.Kv, plan: FaultPlan) {
    this.#kv = kv;
    this.#plan = plan;
  }

  get<T>(key: Deno.KvKey): Promise<Deno.KvEntryMaybe<T>> {
    return this.#kv.get<T>(key);
  }

  list<T>(
    selector: Deno.KvListSelector,
    options?: Deno.KvListOptions,
  ): Deno.KvListIterator<T> {
    return this.#kv.list<T>(selector, options);
  }

  set(key: Deno.KvKey, value: unknown): Promise<Deno.KvCommitResult> {
    return this.#plan.write(() => this.#kv.set(key, value));
  }

  atomic(): FaultyAtomic {
    return new FaultyAtomic(this.#kv.atomic(), this.#plan);
  }

  close(): void {
    this.#kv.close();
  }
}

/** What `KvEngine` uses of an atomic operation. */
class FaultyAtomic {
  readonly #atomic: Deno.AtomicOperation;
  readonly #plan: FaultPlan;

  constructor(atomic: Deno.AtomicOperation, plan: FaultPlan) {
    this.#atomic = atomic;
    this.#plan = plan;
  }

  check(check: Deno.AtomicCheck): this {
    this.#atomic.check(check);
    return this;
  }

  set(key: Deno.KvKey, value: unknown): this {
    this.#atomic.set(key, value);
    return this;
  }

  delete(key: Deno.KvKey): this {
    this.#atomic.delete(key);
    return this;
  }

  commit(): Promise<Deno.KvCommitResult | Deno.KvCommitError> {
    return this.#plan.write(() => this.#atomic.commit());
  }
}
