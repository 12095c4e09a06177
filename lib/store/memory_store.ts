import type { BinlogStore } from "./binlog_store.ts";
import { BlockLog, type BlockLogOptions } from "./block_log.ts";
import { MemoryDisk, MemoryEngine } from "./memory_engine.ts";

/**
 * Opens a log in memory: for tests and for trying things out. What `disk`
 * holds can be opened again, as after a crash.
 */
export function openMemoryStore(
  disk: MemoryDisk = new MemoryDisk(),
  options: BlockLogOptions = {},
): Promise<BinlogStore> {
  return BlockLog.open(new MemoryEngine(disk), options);
}
