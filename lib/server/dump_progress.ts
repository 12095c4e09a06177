/** How far a dump has come: what costs little to ask every second. */
export interface DumpProgress {
  readonly connectionId: number;
  /** Bytes of the dump so far. */
  readonly bytesSent: number;
  /** See `DumpStatus.unsentSince`. */
  readonly unsentSince: number | undefined;
}

/** How much was sent, and how far every dump has come. */
export interface ServerProgress {
  /** Bytes sent to all clients since the process began. */
  readonly bytesSent: number;
  readonly dumps: readonly DumpProgress[];
}
