import type { StatementContext } from "./statement_context.ts";
import { StatementError, StatementFault } from "./statement_error.ts";

const MINUTE_MS = 60_000;
/** The farthest a time zone is from UTC. */
const ZONE_MINUTES_MAX = 14 * 60;

/**
 * A point in time as `YYYY-MM-DD hh:mm:ss` in the session's time zone.
 *
 * @param ms milliseconds since 1970
 * @throws {StatementError} 1298 when the session's time zone is a name
 */
export function formatTime(ms: number, context: StatementContext): string {
  return new Date(ms + zoneOffset(context)).toISOString().slice(0, 19)
    .replace("T", " ");
}

/** How many milliseconds the session's time zone is ahead of UTC. */
export function zoneOffset({ session }: StatementContext): number {
  const zone = session.settings.get("time_zone") ?? "SYSTEM";
  if (/^(?:SYSTEM|UTC)$/i.test(zone)) return 0;
  const offset = offsetOf(zone);
  if (offset !== undefined) return offset;
  throw new StatementError(
    StatementFault.ER_UNKNOWN_TIME_ZONE,
    `Unknown or incorrect time zone: '${zone}'`,
  );
}

/** Milliseconds of `+hh:mm`; undefined if it is none, or one that there is not. */
export function offsetOf(zone: string): number | undefined {
  const match = /^([+-])(\d{1,2}):([0-5]\d)$/.exec(zone);
  const minutes = Number(match?.[2]) * 60 + Number(match?.[3]);
  if (match === null || minutes > ZONE_MINUTES_MAX) return undefined;
  return (match[1] === "-" ? -1 : 1) * minutes * MINUTE_MS;
}
