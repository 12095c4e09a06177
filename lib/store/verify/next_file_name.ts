import { MalformedEventError } from "../../binlog/malformed_event_error.ts";
import { decodeRotate } from "../../binlog/rotate.ts";
import type { LogTally } from "./log_tally.ts";

/** A name for a file when nothing tells another one. */
const ONLY_NAME = "binlog.000001";

/**
 * The name of a file whose record is lost: what the rotate event at the end of
 * the file before it says, or the next number after that file's, or the one
 * before the next file's.
 *
 * @param previous name of the file before it; undefined if there is none
 * @param tally stands at the end of that file
 * @param following name of a file behind it; undefined if there is none
 */
export function nextFileName(
  previous: string | undefined,
  tally: LogTally,
  following: string | undefined,
): string {
  if (previous === undefined) {
    return following === undefined ? ONLY_NAME : countOn(following, -1);
  }
  const { rotate } = tally;
  if (rotate === undefined) return countOn(previous, 1);
  try {
    return decodeRotate(rotate.event, rotate.algorithm).fileName;
  } catch (error) {
    if (error instanceof MalformedEventError) return countOn(previous, 1);
    throw error;
  }
}

/** A file name with another number: `binlog.000041` and 1 give `binlog.000042`. */
function countOn(name: string, step: number): string {
  const dot = name.lastIndexOf(".");
  const digits = name.slice(dot + 1);
  const number = String(Number(digits) + step).padStart(digits.length, "0");
  return `${name.slice(0, dot + 1)}${number}`;
}
