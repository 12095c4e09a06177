/** A difference between kingbus and its source on the wire that is meant. */
export interface KnownDifference {
  /** What a client sees, in one sentence. */
  readonly what: string;
  /** Why it has to be, or why nobody minds. */
  readonly why: string;
}

/**
 * Everything in which a conversation with kingbus may differ from the same
 * conversation with the source that it follows, where kingbus runs under the
 * source's identity. Comparisons of recorded conversations accept these
 * differences and no others.
 */
export const KNOWN_DIFFERENCES = {
  "connection-id": {
    what:
      "The connection's number, in the greeting and wherever a client repeats it, as in KILL.",
    why: "Each server counts its own connections.",
  },
  "scramble": {
    what: "The 20 random bytes of the greeting.",
    why:
      "They are new for each connection; kingbus's are from 1 to 127, because some clients read them as text.",
  },
  "capabilities": {
    what:
      "The greeting's capability flags: what a server can do beside sending its log.",
    why:
      "kingbus announces what it does. Statements in several parts, stored procedures' results, local files and the like belong to a server with tables.",
  },
  "greeting-charset": {
    what: "The collation in the greeting.",
    why: "It is the server's default; a client says which one it wants.",
  },
  "authentication": {
    what: "The authentication plugin in the greeting, and the steps after it.",
    why:
      "kingbus's accounts are its own. The same client may log in with a cached password at one server and has to prove it in full at the other.",
  },
  "time": {
    what: "The values of UNIX_TIMESTAMP() and other functions of the moment.",
    why: "The two conversations are not held at the same moment.",
  },
  "own-values": {
    what: "Variables that describe the server itself, such as version_comment.",
    why:
      "kingbus says there that it is kingbus, so that an operator can tell the two apart.",
  },
  "column-metadata": {
    what:
      "Length, collation, flags and decimals of a column in the answer to a statement, sometimes the exact type of a string or number.",
    why:
      "They follow from how a server computes an expression. Names and values are the same, and values are sent as text.",
  },
  "mariadb-extensions": {
    what:
      "From MariaDB: one more field in the description of a column, for clients that ask for it.",
    why:
      "It tells of types that only tables have. kingbus does not announce it, and a client does without.",
  },
  "idle-heartbeats": {
    what:
      "How many heartbeats come, and when, while nothing else is to be sent.",
    why: "They follow each server's own clock.",
  },
  "checksum-of-unchecked-description": {
    what:
      "The last four bytes of the format description of a file without checksums, in a dump that begins inside the file.",
    why:
      "MySQL changes the event and leaves the checksum of before the change in it; kingbus makes the right one. A file without checksums is not checked.",
  },
  "where-it-failed": {
    what:
      "The part of an error 1236 that names the first and the last event read.",
    why:
      "It describes how MySQL reads its files. The error's own text is the same.",
  },
  "both-spellings": {
    what:
      "Statements that one version of MySQL knows and another does not, such as SHOW MASTER STATUS and SHOW BINARY LOG STATUS: kingbus answers both, a source one of them.",
    why:
      "A log is read by clients older and newer than its source. One that tries both spellings is content with the first.",
  },
  "session-tracking": {
    what:
      "Session state behind an OK, for clients that ask for it (CLIENT_SESSION_TRACK).",
    why:
      "kingbus does not announce it. No client of a binlog reads it; a client that wants it looks for the server's capability.",
  },
  "in-transaction": {
    what: "The flag behind an OK that says that a transaction is open.",
    why: "Nothing is ever written here: BEGIN is answered and begins nothing.",
  },
  "warnings": {
    what: "How many warnings stand behind an OK.",
    why:
      "MySQL warns of names that it is to give up, such as utf8. kingbus has no such plans.",
  },
  "skipped-heartbeats": {
    what:
      "From a source before MySQL 5.7: how many heartbeats tell of transactions that a dump by GTID leaves out, and whether one does where the log ends.",
    why:
      "5.6 sends one for each event, or none while a heartbeat period has not passed. kingbus sends one for all, as every later version; the replica ends up at the same position.",
  },
  "kill-of-closed": {
    what:
      "Whether KILL still finds a connection that the client closed just before: OK, or 1094.",
    why:
      "It depends on which of the two arrives first. The connection is gone either way.",
  },
  "after-leaving": {
    what:
      "How much of a dump is still sent to a client that leaves before its end, such as mysqlbinlog at the end of the file that it wanted.",
    why:
      "It depends on when the server notices. All that the client took is the same.",
  },
} as const satisfies Record<string, KnownDifference>;

/** Name of a known difference. */
export type KnownDifferenceName = keyof typeof KNOWN_DIFFERENCES;
