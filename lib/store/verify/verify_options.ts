import type { LogFault } from "./verify_report.ts";

/** How a log is verified. */
export interface VerifyOptions {
  /** How many faults are kept for the report; the others are counted. */
  readonly faultsMax?: number;
  /** Told of every fault at once, those that are not kept as well. */
  onFault?(fault: LogFault): void;
  /**
   * Told now and then how far it is.
   *
   * @param done bytes of binlog that were checked
   * @param total about how many there are
   */
  onProgress?(done: number, total: number): void;
  /** Ends it with the signal's reason when it fires. */
  readonly signal?: AbortSignal;
}
