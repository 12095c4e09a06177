/** What one commit of the log made durable, and how long the disk took. */
export interface CommitFacts {
  /** From handing it to the database to its being on disk. */
  readonly seconds: number;
  /** Bytes of binlog files by which the head moved; 0 if it did not. */
  readonly bytes: number;
  /** Events in them. */
  readonly events: number;
  /** Transactions in them. */
  readonly transactions: number;
}

/** Is told of each commit of the log that succeeded; must not throw. */
export type CommitObserver = (commit: CommitFacts) => void;

/** How much was appended since the writer began; see `CommitFacts`. */
export interface AppendCounts {
  readonly bytes: number;
  readonly events: number;
  readonly transactions: number;
}

/** Nothing was appended. */
export const NOTHING_APPENDED: AppendCounts = {
  bytes: 0,
  events: 0,
  transactions: 0,
};
