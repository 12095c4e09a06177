import type { BinlogStore } from "./binlog_store.ts";

/**
 * A log to read: the reading half of `BinlogStore`, which every store is. One
 * opened as a snapshot shows the log as it was then and takes nothing from
 * whoever writes it.
 */
export interface LogSnapshot extends
  AsyncDisposable,
  Pick<
    BinlogStore,
    | "head"
    | "files"
    | "fileByName"
    | "findFile"
    | "openReader"
    | "getMeta"
    | "close"
  > {}
