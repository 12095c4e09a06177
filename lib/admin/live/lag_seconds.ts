import type { DumpProgress } from "../../server/dump_progress.ts";

/**
 * How far a replica is behind the stored log, in seconds: how long ago the
 * first event was made that is to be sent to it and was not yet. That is the
 * time now by this machine's clock less the event's by the source's, so both
 * have to be right; to the second, as events have it.
 *
 * 0 for one that was sent all; undefined before its dump, and until the first
 * event was read for it. Of one that takes nothing it grows second by second,
 * from the age of the oldest event that waits for it.
 *
 * @param nowMs milliseconds since 1970
 */
export function lagSeconds(
  { unsentSince }: Partial<Pick<DumpProgress, "unsentSince">>,
  nowMs: number,
): number | undefined {
  if (unsentSince === undefined) return undefined;
  if (unsentSince === 0) return 0;
  return Math.max(0, Math.floor(nowMs / 1000) - unsentSince);
}
