/** Which files a statement asks to remove: those before a file or a time. */
export type PurgeTarget =
  | { readonly to: string }
  /** Milliseconds since 1970. */
  | { readonly beforeMs: number };

/** Who needs a file, so that it stays. */
export interface FileHolder {
  /** It is being sent the log, or the configuration keeps files for it. */
  readonly kind: "connected" | "declared";
  readonly name: string;
  /** The first file it needs; empty: everything. */
  readonly fileName: string;
}

/** What became of a purge. */
export interface PurgeAnswer {
  /** The files that were removed. */
  readonly removed: readonly unknown[];
  /** How many were asked for, the one being written included. */
  readonly asked: number;
  /** The oldest file that is left; undefined while the log is empty. */
  readonly firstKept: string | undefined;
  /** True when the file being written was asked for too: it always stays. */
  readonly keptActive: boolean;
  /** Who needs `firstKept`; empty if nobody does. */
  readonly heldBy: readonly FileHolder[];
}

/** Removes files of the log when an account asks for it. */
export interface LogPurger {
  /**
   * Removes files, oldest first, as far as no replica needs them; undefined
   * when the log has no file of that name.
   */
  purge(target: PurgeTarget): Promise<PurgeAnswer | undefined>;
}
