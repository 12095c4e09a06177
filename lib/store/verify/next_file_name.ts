import { decodeRotate } from "../../binlog/rotate.ts";
import type { LogTally } from "./log_tally.ts";

/** A name for a file when nothing tells another one. */
const FIRST_NAME = "binlog.000001";

/**
 * The name of a file whose record is lost: what the rotate event at the end of
 * the file before it says, or that file's name with the next number.
 *
 * @param previous name of the file before it; undefined if there is none
 * @param tally stands at the end of that file
 */
export function nextFileName(
  previous: string | undefined,
  tally: LogTally,
): string {
  if (previous === undefined) return FIRST_NAME;
  const { rotate } = tally;
  if (rotate !== undefined) {
    return decodeRotate(rotate.event, rotate.algorithm).fileName;
  }
  const dot = previous.lastIndexOf(".");
  const number = previous.slice(dot + 1);
  const next = String(Number(number) + 1).padStart(number.length, "0");
  return `${previous.slice(0, dot + 1)}${next}`;
}
