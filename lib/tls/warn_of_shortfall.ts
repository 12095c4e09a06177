import type { Log } from "../log/log.ts";
import { TlsError } from "./tls_error.ts";

/** What is wanted of TLS: `optional` and `preferred` go without it. */
export interface WantedTls {
  /** The key that says so. */
  readonly key: string;
  readonly mode: string;
}

const DISPENSABLE = ["disabled", "optional", "preferred"];

/**
 * Sees that nobody takes for encrypted what this process can't encrypt: where
 * TLS must be it ends, where it may be absent it says that it is.
 *
 * @param shortfall why there is no TLS, from `tlsShortfall()`
 * @throws {TlsError} `unsupported`
 */
export function warnOfShortfall(
  shortfall: string,
  wanted: readonly WantedTls[],
  log: Log,
): void {
  for (const { key, mode } of wanted) {
    if (!DISPENSABLE.includes(mode)) {
      throw new TlsError(
        "unsupported",
        `${key} is ${mode}, but ${shortfall}, or set ${key} to disabled`,
      );
    }
    if (mode === "disabled") continue;
    log.warn(`${key} is ${mode}, and there is no TLS`, { reason: shortfall });
  }
}
