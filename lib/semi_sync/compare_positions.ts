import type { LogPosition } from "../store/binlog_store.ts";

/** Negative, zero or positive: `one` is before, at or behind `other` in the log. */
export function comparePositions(one: LogPosition, other: LogPosition): number {
  return one.fileNumber - other.fileNumber || one.position - other.position;
}
