/** How the packets of a dump look: with or without what semi-sync puts before. */
export interface PacketForm {
  /** Sequence id of the next packet. */
  sequenceId: number;
  /** Position in the file after what was copied last. */
  position: number;
  /** True where an event may begin. */
  readonly atEventEnd: boolean;
  /** The most bytes that a run of so many becomes. */
  bytesFor(runBytes: number): number;
  /**
   * Copies a run of framed stream, which may end inside an event, and numbers
   * its packets. Answers where it ends in `buffer`.
   *
   * @param run whole packet headers, each with its status byte
   * @param buffer has `bytesFor(run.length)` bytes from `start` on
   * @param start where to copy to
   */
  copyRun(run: Uint8Array, buffer: Uint8Array, start: number): number;
  /**
   * Where in the buffer sequence ids begin at 1 again, in order. Whoever sends
   * the buffer empties this.
   */
  readonly restarts: number[];
  /** What stands before an event that is not of the log, from its status byte on. */
  readonly madePrefix: Uint8Array;
}
