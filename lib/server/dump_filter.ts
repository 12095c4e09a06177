import type { BlockSummary, StoredFile } from "../store/binlog_store.ts";

/** What becomes of a block, as far as its summary tells. */
export type BlockVerdict = "send" | "skip" | "look";

/** Takes what a filter decided on, in order. */
export interface FilterSink {
  /** Position in the file after all that was sent and left out. */
  readonly position: number;
  /** Events to send: `run[start, end)`, which may end inside an event. */
  send(run: Uint8Array, start: number, end: number): void | Promise<void>;
  /** An event, or part of one, that is left out: so many bytes of the file. */
  leaveOut(bytes: number): void;
  /** An event to send that is not of the log. */
  insert(event: Uint8Array): Promise<void>;
  /** A transaction without GTID, which a GTID dump can't send. */
  anonymous(): never;
  /** The dump has come to the end that the replica asked for. */
  finish(): void;
}

/** Decides what of the log a replica is sent, and as what. */
export interface DumpFilter {
  /** Whether the replica is told where it stands after something was left out. */
  readonly owesHeartbeats: boolean;
  /** True while everything is sent as it is; it may change where a file begins. */
  readonly isPassive: boolean;
  /** True when what comes next is not the begin of an event, sent or left out. */
  readonly insideEvent: boolean;
  /** Begins a file, or goes on somewhere in it where an event begins. */
  startFile(file: StoredFile): void;
  /** What becomes of a whole block. */
  judge(block: BlockSummary): BlockVerdict;
  /**
   * Decides event by event on a run of framed stream.
   *
   * @throws {ProtocolError} for what the replica can't be sent
   */
  take(run: Uint8Array, sink: FilterSink): Promise<void>;
}
