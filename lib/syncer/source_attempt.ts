import type { SyncerCause } from "./syncer_cause.ts";

/** Is told how one attempt to follow a source goes. */
export interface SourceAttempt {
  /** The source has begun to send its log. */
  following(): void;
  /** It ended, before that or after it; nothing is told any more. */
  failed(cause: SyncerCause, reason: string): void;
  /** It was ended on purpose; nothing is told any more. */
  stopped(): void;
}
