import type { LogReport } from "../control.ts";
import type { BinlogStore } from "../../store/binlog_store.ts";
import { executedText } from "../../store/executed_text.ts";

/** The part of the store that reports are made from. */
export type ReportedStore = Pick<BinlogStore, "head" | "files">;

/** Where the log ends, as the status answers tell it. */
export function reportLog(store: ReportedStore): LogReport {
  const { head } = store;
  return {
    currentGtid: head?.lastGtid ?? "",
    file: head?.fileName ?? "",
    position: head?.position ?? 0,
    ...executedText(store),
    lastEventAt: head === undefined || head.lastTimestamp === 0
      ? undefined
      : new Date(head.lastTimestamp * 1000),
  };
}

/**
 * How many bytes of the log lie behind a position in a file; undefined when the
 * store has no such file.
 */
export function bytesBehind(
  { files }: ReportedStore,
  fileName: string,
  position: number,
): number | undefined {
  let bytes = 0;
  for (let at = files.length - 1; at >= 0; at--) {
    const file = files[at]!;
    if (file.name === fileName) {
      return Math.max(0, bytes + file.size - position);
    }
    bytes += file.size;
  }
  return undefined;
}
