/**
 * What a program may import to run kingbus inside itself, or to work with what
 * it keeps.
 *
 * ```ts
 * import { loadOptions, openApp, openLog } from "./mod.ts";
 *
 * const options = await loadOptions({
 *   file: "kingbus.yaml",
 *   flags: new Map(),
 *   env: (name) => Deno.env.get(name),
 *   readTextFile: (path) => Deno.readTextFile(path),
 * });
 * await using app = await openApp(options, openLog(options.log));
 * console.log(`replicas connect to ${app.serverListen}`);
 * ```
 *
 * @module
 */
export { type App, openApp } from "./lib/app.ts";
export {
  ControlError,
  type RetentionControl,
  type ServerControl,
  type ServerReport,
  type SyncerControl,
  type SyncerReport,
} from "./lib/admin/control.ts";
export { AdminListenError } from "./lib/admin/admin_listen_error.ts";
export { type Address, parseAddress } from "./lib/config/address.ts";
export { ConfigError } from "./lib/config/config_error.ts";
export { type ConfigSources, loadOptions } from "./lib/config/load_config.ts";
export type { Options } from "./lib/config/options.ts";
export { type Gtid, parseGtid } from "./lib/gtid/gtid.ts";
export { GtidSet } from "./lib/gtid/gtid_set.ts";
export { type Log, openLog, silentLog } from "./lib/log/log.ts";
export type {
  PurgeOptions,
  PurgeOutcome,
  PurgeTarget,
  RetentionReport,
} from "./lib/retention/retention.ts";
export { RetentionError } from "./lib/retention/retention_error.ts";
export {
  type BinlogStore,
  type LogReader,
  type LogSlice,
  type StoredFile,
  StoreError,
  type StoreHead,
} from "./lib/store/binlog_store.ts";
export { openKvStore } from "./lib/store/kv/open_kv_store.ts";
export { openMemoryStore } from "./lib/store/memory_store.ts";
export { VERSION } from "./lib/version.ts";
