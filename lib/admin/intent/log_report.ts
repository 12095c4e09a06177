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
 * Answers how many bytes of the log, as it is now, lie behind a position in a
 * file; undefined when the store has no such file. For many replicas at once: a
 * file is looked for once, however many read it.
 */
export function bytesBehind(
  { files }: ReportedStore,
): (fileName: string, position: number) => number | undefined {
  /** Bytes from the begin of each file looked for to the end of the log. */
  const known = new Map<string, number>();
  let at = files.length;
  let bytes = 0;
  return (fileName, position) => {
    while (!known.has(fileName) && at > 0) {
      const { name, size } = files[--at]!;
      bytes += size;
      if (!known.has(name)) known.set(name, bytes);
    }
    const fromBegin = known.get(fileName);
    return fromBegin === undefined
      ? undefined
      : Math.max(0, fromBegin - position);
  };
}
