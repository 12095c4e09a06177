import type { SyncerCause } from "./syncer_cause.ts";

/** What a cause means to those who have to do something about it. */
export interface CauseText {
  /** What happened; Markdown. */
  readonly happened: string;
  /** What to do about it; Markdown. */
  readonly remedy: string;
}

/**
 * Every cause in words: the table of docs/admin-api.md, and what the status says
 * is to be done.
 */
export const CAUSE_TEXTS: Readonly<Record<SyncerCause, CauseText>> = {
  unreachable: {
    happened:
      "Nobody answers at the source's address: connection refused, unknown host name, no login within `source.connect-timeout`.",
    remedy: "Start the source, or correct `source.address`.",
  },
  lost: {
    happened:
      "The connection broke, or the source ended it: it was restarted, has crashed, or somebody killed the dump.",
    remedy: "Nothing, if it comes back.",
  },
  silent: {
    happened:
      "Nothing came for `source.read-timeout`, not even a heartbeat: the source hangs, or a connection was lost without a word.",
    remedy:
      "Nothing, if it comes back; else look at the source and the network.",
  },
  unavailable: {
    happened:
      "The source takes nobody now: it is shutting down, has too many connections, or is in offline mode.",
    remedy: "Raise `max_connections`, or the account's limit.",
  },
  refused: {
    happened:
      "The source refuses the login: wrong password, account locked or expired, host not allowed.",
    remedy:
      "Correct user and password, or unlock the account; then start the syncer again, not to wait.",
  },
  tls: {
    happened:
      "The connection to the source can't be secured as `source.tls` asks for, or as the source does: it has no TLS, its certificate has expired, is self-signed, of an unknown authority or for other names, or it wants a certificate of ours or refuses it.",
    remedy: "What the reason says; then start the syncer again, not to wait.",
  },
  privileges: {
    happened: "The account may not replicate.",
    remedy:
      "`GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO` the account; in MariaDB `REPLICATION SLAVE, BINLOG MONITOR`.",
  },
  unsuitable: {
    happened:
      "The source can't be followed as it is set up: it writes no binary log, does not offer `source.compression`, has a way of logging in that kingbus does not know, or can't understand `source.start`; or the log goes on behind 4 GiB of a file of a MariaDB source, which can't be asked for that.",
    remedy:
      "What the reason says: set `log_bin`; set `source.compression` to what it has; let the account log in by `caching_sha2_password` or `mysql_native_password`; bring the rest of the file with `kingbus import`.",
  },
  "own-server-id": {
    happened:
      "The source has the server id or the server uuid that kingbus uses.",
    remedy:
      "Set `source.server-id` or `source.uuid`; or correct `source.address`, if it is kingbus's own.",
  },
  "duplicate-server-id": {
    happened:
      "Another replica of the source has kingbus's server id and server uuid: the source ends the dump of the one when the other comes.",
    remedy:
      "Stop the other, or give kingbus other ids. kingbus asks the source whether the other is there still, and goes on by itself when it is not.",
  },
  "source-error": {
    happened:
      "The source answered an error of another kind, such as that it can't read its own log.",
    remedy: "See the error and the source's error log.",
  },
  stream: {
    happened:
      "What the source sent is not a binlog in order: wrong checksum, position or size. Nothing of it is kept.",
    remedy:
      "Nothing, if it is over; else look at the source's file and the network.",
  },
  purged: {
    happened: "The source has purged files before kingbus had them.",
    remedy:
      "Bring back by `kingbus import` the missing files, which `reason` names, from a backup; or begin with an empty `data-dir`. Keep files longer on the source.",
  },
  reset: {
    happened:
      "The source's log was reset (`RESET MASTER`, `RESET BINARY LOGS AND GTIDS`, a new data directory): its files are others.",
    remedy: "Begin with an empty `data-dir`.",
  },
  "source-lost-events": {
    happened:
      "The source does not have what it once sent: it crashed with `sync_binlog` other than 1, or was restored from an older backup.",
    remedy:
      "Make a replica that has it all the source, or bring the lost transactions back from one; or begin with an empty `data-dir`.",
  },
  hole: {
    happened:
      "The source has transactions that are in none of its files: `SET GLOBAL gtid_purged = '+…'` was run there, or a crash cost it the end of a file.",
    remedy:
      "Provision replicas from a backup that has these transactions, and begin with an empty `data-dir`.",
  },
  "other-source": {
    happened:
      "The server at the address is not the one the log came from, and it has no GTIDs by which it could be followed.",
    remedy: "Correct the address, or begin with an empty `data-dir`.",
  },
  "other-flavour": {
    happened:
      "The source is a MariaDB server and the log came from a MySQL server, or the other way round.",
    remedy:
      "Correct the address, or begin with an empty `data-dir`: a log is of one kind for ever.",
  },
  behind: {
    happened:
      "Another server than the log came from, and it lacks transactions the log has.",
    remedy:
      "Nothing, if it is a replica that still gets them; else let it replicate from kingbus until it has them, or take another server.",
  },
  errant: {
    happened:
      "Another server than the log came from, and it has transactions of its own before some of the log's.",
    remedy: "Take another server, or rebuild this one from one without them.",
  },
  disk: {
    happened:
      "The store can't be written: disk full, read-only or broken. Replicas are served what is there.",
    remedy:
      "Free space or mend the disk: kingbus reads anew what is on it, drops what was not acknowledged, and goes on by itself. A purge needs some space itself: `retention.free-disk` makes it happen in time.",
  },
  fenced: {
    happened: "Another process has opened the store and writes it now.",
    remedy: "Stop one of the two.",
  },
  store: {
    happened: "The store is damaged or closed.",
    remedy: "Run `kingbus verify`.",
  },
  internal: {
    happened: "A fault in kingbus itself.",
    remedy: "Report it, with the log.",
  },
};

/** What to do about a cause, as plain text. */
export function adviceFor(cause: SyncerCause): string {
  return CAUSE_TEXTS[cause].remedy.replaceAll("`", "");
}
