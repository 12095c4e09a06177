import { DUMP_OUTCOMES, type DumpOutcome } from "./dump_outcome.ts";

/**
 * How a session ended that neither its client nor the server wanted to end:
 * - `protocol`: the client sent what is no proper command;
 * - `timeout`: it was idle too long, or did not take or finish something in time;
 * - `lost`: its connection broke where more was to come;
 * - `internal`: a fault in kingbus, which the log tells of.
 */
export const SESSION_ERROR_KINDS = [
  "protocol",
  "timeout",
  "lost",
  "internal",
] as const;

/** One of {@linkcode SESSION_ERROR_KINDS}. */
export type SessionErrorKind = typeof SESSION_ERROR_KINDS[number];

/**
 * What a binlog server has counted since the process began, over all its starts
 * and stops. What one run of it counts for SQL is in `ServerCounters`.
 */
export class ServiceCounters {
  /** Clients that have logged in. */
  logins = 0;
  /** Dumps that have begun, those included that were refused then. */
  dumpsBegun = 0;
  /** Dumps that have ended, by how. */
  readonly dumpsEnded: Record<DumpOutcome, number> = zeros(DUMP_OUTCOMES);
  /** Sessions that ended in an error, by kind. */
  readonly sessionErrors: Record<SessionErrorKind, number> = zeros(
    SESSION_ERROR_KINDS,
  );
}

/** 0 for each of `names`. */
function zeros<Name extends string>(
  names: readonly Name[],
): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<
    Name,
    number
  >;
}
