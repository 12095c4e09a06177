import type { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import type { BinlogStore } from "../../../lib/store/binlog_store.ts";
import type { BlockLogOptions } from "../../../lib/store/block_log.ts";
import { LogFeeder } from "../../support/log_feeder.ts";
import { MadeLog, type MadeTransaction } from "../../support/made_log.ts";
import { NaiveLog } from "../../support/naive_log.ts";
import type { SeededRandom } from "../../support/seeded_random.ts";
import type { TestDisk } from "../../support/test_disk.ts";

/** Makes an empty disk. */
export type NewDisk = () => TestDisk;

/** How a `LogRun` begins. */
export interface LogRunOptions {
  /** Cuts the stream at random. */
  readonly random?: SeededRandom;
  /** GTIDs from before the first file. */
  readonly purged?: GtidSet;
  /** Limits of the store. */
  readonly store?: BlockLogOptions;
}

/**
 * A store that is written to, and beside it what it has to show. Closes the
 * store and removes its disk at the end.
 */
export class LogRun implements AsyncDisposable {
  readonly disk: TestDisk;
  /** Makes the events. */
  readonly made: MadeLog;
  /** What the store has to show. */
  readonly naive: NaiveLog;
  #store!: BinlogStore;
  #feeder!: LogFeeder;
  readonly #options: LogRunOptions;
  #files = 0;

  private constructor(disk: TestDisk, options: LogRunOptions) {
    this.disk = disk;
    this.#options = options;
    this.made = new MadeLog(options.purged);
    this.naive = new NaiveLog(options.purged);
  }

  /** Opens a store on a new disk. */
  static async begin(
    newDisk: NewDisk,
    options: LogRunOptions = {},
  ): Promise<LogRun> {
    const run = new LogRun(newDisk(), options);
    await run.#open();
    return run;
  }

  /** The store, as it was opened last. */
  get store(): BinlogStore {
    return this.#store;
  }

  /** Begins the next file. */
  startFile(): void {
    const name = `binlog.${String(++this.#files).padStart(6, "0")}`;
    this.naive.startFile(name);
    this.#feeder.startFile(name, "server");
    const events = this.made.beginFile();
    this.naive.append(events);
    this.#feeder.push(events);
  }

  /** Appends a transaction. */
  transaction(made?: MadeTransaction): void {
    this.append(this.made.transaction(made));
  }

  /** Appends events; without `whole` there is no boundary behind them. */
  append(events: readonly Uint8Array[], whole = true): void {
    this.naive.append(events, whole);
    this.#feeder.push(events);
  }

  /** Appends what is cut off later: the begin of a transaction. */
  partOfTransaction(made?: MadeTransaction): void {
    this.append(this.made.transaction(made).slice(0, -1), false);
  }

  /** Flushes and checks what the store shows. */
  async check(): Promise<void> {
    await this.store.writer.flush();
    await this.naive.assertShown(this.store, this.naive.newest);
  }

  /** Drops what lies behind the last boundary, there and here. */
  async rollback(): Promise<void> {
    await this.store.writer.rollback();
    this.#goBack();
  }

  /** Purges files, there and here; answers the names of those that went. */
  async purge(upTo: number): Promise<string[]> {
    const { files } = await this.store.purge(upTo);
    this.naive.purge(upTo);
    return files.map(({ name }) => name);
  }

  /** Opens the disk anew while the old store has it open, as after a crash. */
  async crash(): Promise<void> {
    await this.#open();
    this.#goBack();
  }

  /** Closes the store and opens it again. */
  async reopen(): Promise<void> {
    await this.store.close();
    await this.crash();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.store.failure === undefined) await this.store.close();
    await this.disk[Symbol.asyncDispose]();
  }

  async #open(): Promise<void> {
    this.#store = await this.disk.open(this.#options.store);
    this.#feeder = new LogFeeder(this.#store.writer, this.#options.random);
  }

  #goBack(): void {
    this.naive.goBackTo();
    const newest = this.naive.newest;
    this.#files = newest?.files ?? 0;
    this.made.goBackTo(newest?.position ?? 4, this.naive.executed);
    this.#feeder.reset();
  }
}

/** Registers a test of one behaviour of a store. */
export function storeTest(
  store: string,
  what: string,
  test: () => Promise<void>,
): void {
  Deno.test(`${store}: ${what}`, test);
}
