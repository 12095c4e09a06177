/**
 * What keeps kingbus from following its source, in one word each that programs
 * can rely on. `docs/admin-api.md` has a table of them with what to do; tests
 * compare it with this list, and produce every word.
 */
export const SYNCER_CAUSES = [
  /** Nobody can be connected to at the source's address. */
  "unreachable",
  /** The connection broke, or the source ended the dump. */
  "lost",
  /** Nothing came for the read timeout, not even a heartbeat. */
  "silent",
  /** The source can't take us at present: in shutdown, too many connections. */
  "unavailable",
  /** The source refuses the login. */
  "refused",
  /** The connection can't be secured as it has to be. */
  "tls",
  /** The account may not do what replication needs. */
  "privileges",
  /** The server is set up so that it can't be followed. */
  "unsuitable",
  /** The source's server id or UUID is the one that kingbus uses. */
  "own-server-id",
  /** Another replica uses our server id and UUID, and ends our dumps. */
  "duplicate-server-id",
  /** The source answered an error of another kind. */
  "source-error",
  /** What the source sent is not a binlog in order. */
  "stream",
  /** The source purged what must come next. */
  "purged",
  /** The source's log was reset: its files are others of the same names. */
  "reset",
  /** The source does not have what it once sent: a crash, or an old backup. */
  "source-lost-events",
  /** Files that follow each other have transactions missing between them. */
  "hole",
  /** The server is not the one the log came from, and GTIDs are not on. */
  "other-source",
  /** A MariaDB server, and the log came from a MySQL server; or the other way round. */
  "other-flavour",
  /** Another server than the log came from, which lacks what the log has. */
  "behind",
  /** Another server, which has transactions between those that the log has. */
  "errant",
  /** The store can't write: disk full, read-only or broken. */
  "disk",
  /** Another process has taken the store over. */
  "fenced",
  /** The store is damaged, or closed. */
  "store",
  /** A fault in kingbus itself. */
  "internal",
] as const;

/** One of {@linkcode SYNCER_CAUSES}. */
export type SyncerCause = typeof SYNCER_CAUSES[number];

/**
 * When to try again:
 * - `soon`: it may be over at any moment;
 * - `slowly`: somebody has to do something about it, which kingbus can't see;
 * - `never`: no attempt can have another outcome.
 */
export type Retry = "soon" | "slowly" | "never";

/** When to try again after a fault of that cause. */
export function retryAfter(cause: SyncerCause): Retry {
  switch (cause) {
    case "unreachable":
    case "lost":
    case "silent":
    case "unavailable":
    case "behind":
    case "stream":
    case "disk":
    case "internal":
      return "soon";
    case "refused":
    case "tls":
    case "privileges":
    case "unsuitable":
    case "own-server-id":
    case "duplicate-server-id":
    case "source-error":
      return "slowly";
    case "purged":
    case "reset":
    case "source-lost-events":
    case "hole":
    case "other-source":
    case "other-flavour":
    case "errant":
    case "fenced":
    case "store":
      return "never";
  }
}
