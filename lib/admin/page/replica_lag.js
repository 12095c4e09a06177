// @ts-check
/** @import { ReplicaStatus } from "../server_status.ts" */

/** More than any lag in bytes, so that one in seconds counts first. */
const SECOND = 2 ** 42;

/**
 * A number that is the larger the further behind a replica is: by its seconds,
 * and by its bytes where those are the same; undefined if neither is known.
 *
 * @param {ReplicaStatus} replica
 * @returns {number | undefined}
 */
export function replicaLag({ lag_seconds, lag_bytes }) {
  if (lag_seconds === null && lag_bytes === undefined) return undefined;
  return Math.round((lag_seconds ?? 0) * 10) * SECOND + (lag_bytes ?? 0);
}
