import { formatGtidSet } from "./format_gtid_set.ts";
import { formatLag, formatRate } from "./format_number.ts";
import type { Snapshot } from "./snapshot.ts";

/** Less than any UUID takes, so that all of them are shortened. */
const SET_WIDTH = 36;

/** One line for each second, where the output is no terminal. */
export function formatPlainLine(snapshot: Snapshot): string {
  const { phase, elapsedMs, servers, rate, lagMs, behind } = snapshot;
  const set = (executed: { toString(): string }): string =>
    formatGtidSet(executed.toString(), SET_WIDTH);
  const parts = [
    `${String(Math.round(elapsedMs / 1000)).padStart(4)} s`,
    `source ${set(servers.source)}`,
    `kingbus ${set(servers.kingbus)} ${servers.file}:${servers.position}`,
    `replica ${set(servers.replica)}`,
    `${formatRate(rate)} tx/s`,
    `lag ${lagMs === undefined ? "not measured yet" : formatLag(lagMs)}`,
  ];
  if (phase !== "writing") parts.push(`${phase}: ${behind} behind`);
  if (servers.trouble !== undefined) parts.push(servers.trouble);
  return parts.join("  ");
}
