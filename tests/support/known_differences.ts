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
  "kill-of-closed": {
    what:
      "Whether KILL still finds a connection that the client closed just before: OK, or 1094.",
    why:
      "It depends on which of the two arrives first. The connection is gone either way.",
  },
  "goodbye": {
    what: "Whether the client's COM_QUIT still arrived before the end.",
    why: "A client that leaves does not wait.",
  },
} as const satisfies Record<string, KnownDifference>;

/** Name of a known difference. */
export type KnownDifferenceName = keyof typeof KNOWN_DIFFERENCES;
