/** How a dump ended; programs can rely on the words. */
export const DUMP_OUTCOMES = [
  /** All was sent that a non-blocking dump asks for. */
  "complete",
  /** The replica was told why it can't have the log: 1236, mostly. */
  "refused",
  /** The replica went away, or its connection broke. */
  "client-gone",
  /** The replica did not take what was sent within the time it has for that. */
  "too-slow",
  /** What the replica sent meanwhile was no acknowledgement in order. */
  "bad-acknowledgement",
  /** By KILL, or by an operator. */
  "killed",
  /** The binlog server stopped. */
  "shutdown",
  /** The same replica has asked for another dump. */
  "superseded",
  /** The rest of an event could not be read from the store. */
  "damaged",
  /** A fault in kingbus, which the log tells of. */
  "failed",
] as const;

/** One of {@linkcode DUMP_OUTCOMES}. */
export type DumpOutcome = typeof DUMP_OUTCOMES[number];
