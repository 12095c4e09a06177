import type { BinlogStore } from "../../lib/store/binlog_store.ts";
import { BlockLog, type BlockLogOptions } from "../../lib/store/block_log.ts";
import type { BlockEngine } from "../../lib/store/block_engine.ts";
import { KvEngine } from "../../lib/store/kv/kv_engine.ts";
import { MemoryDisk, MemoryEngine } from "../../lib/store/memory_engine.ts";

/** Where a log is kept while a test opens it again and again. */
export interface TestDisk extends AsyncDisposable {
  /**
   * Opens what is on disk, even while another store has it open: what a process
   * finds that starts after a crash.
   */
  open(options?: BlockLogOptions): Promise<BinlogStore>;
  /** An engine over what is on disk. */
  engine(): Promise<BlockEngine>;
}

/** A disk in memory. */
export class MemoryTestDisk implements TestDisk {
  readonly #disk = new MemoryDisk();

  engine(): Promise<BlockEngine> {
    return Promise.resolve(new MemoryEngine(this.#disk));
  }

  open(options: BlockLogOptions = {}): Promise<BinlogStore> {
    return BlockLog.open(new MemoryEngine(this.#disk), options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

/** A Deno KV database in a folder of its own, removed at the end. */
export class KvTestDisk implements TestDisk {
  readonly folder: string = Deno.makeTempDirSync({ prefix: "kingbus-store-" });
  readonly #engines: KvEngine[] = [];

  /** The database file. */
  get path(): string {
    return `${this.folder}/kingbus.db`;
  }

  async engine(): Promise<BlockEngine> {
    const engine = new KvEngine(await Deno.openKv(this.path), "test");
    this.#engines.push(engine);
    return engine;
  }

  async open(options: BlockLogOptions = {}): Promise<BinlogStore> {
    return await BlockLog.open(await this.engine(), options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const engine of this.#engines) await engine.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}
