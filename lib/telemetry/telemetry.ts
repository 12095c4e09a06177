import type { DumpHandler } from "../server/dump_handler.ts";
import type { SourceAttempt } from "../syncer/source_attempt.ts";

/** Watches what kingbus does, where somebody collects traces. */
export interface Telemetry {
  /** An attempt to follow a source begins. @param source `host:port` */
  attempt(source: string): SourceAttempt;
  /** Watches the dumps that a handler runs. */
  dumps(handler: DumpHandler): DumpHandler;
}
