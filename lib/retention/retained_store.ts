import type { BinlogStore } from "../store/binlog_store.ts";

/** The part of the store that retention works on. */
export type RetainedStore = Pick<
  BinlogStore,
  | "head"
  | "files"
  | "failure"
  | "purge"
  | "diskUse"
  | "getMeta"
  | "setMeta"
>;
