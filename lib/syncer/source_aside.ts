import type { Log } from "../log/log.ts";
import type { BinlogStore } from "../store/binlog_store.ts";
import { originOf, type SourceIdentity } from "../store/source_identity.ts";
import { connectSource } from "./connect_source.ts";
import { hasMore } from "./dump_plan.ts";
import { BEHIND } from "./idle_check.ts";
import { SourceError } from "./source_error.ts";
import type { SourceOptions } from "./source_options.ts";
import { type SourceFile, SourceSession } from "./source_session.ts";
import { diagnose } from "./syncer_fault.ts";

/** What there is to know before the source is asked. */
export interface SourceAsideParts {
  readonly store: BinlogStore;
  readonly log: Log;
  readonly options: SourceOptions;
  /** What the files of the followed source have as their server. */
  readonly origin: string;
}

/**
 * Asks the source something over another connection than that of its dump,
 * which only listens. Not being answered says nothing.
 */
export class SourceAside {
  readonly #parts: SourceAsideParts;

  /** Asks nothing yet. */
  constructor(parts: SourceAsideParts) {
    this.#parts = parts;
  }

  /**
   * Why the log is asked for anew, if all the source has is not here; see
   * `IdleCheck`.
   *
   * @param isByGtid whether the dump goes on behind a GTID set
   */
  async stale(
    isByGtid: boolean,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { store } = this.#parts;
    try {
      return await this.#ask(signal, async (session, identity) => {
        const more = await hasMore(session, identity, store, isByGtid);
        return more ? BEHIND : undefined;
      });
    } catch (error) {
      if (error instanceof SourceError) return error.message;
      throw error;
    }
  }

  /** The source's files, if it tells them now. */
  async files(
    signal: AbortSignal,
  ): Promise<readonly SourceFile[] | undefined> {
    try {
      return await this.#ask(signal, (session) => session.files());
    } catch (error) {
      // The dump, which is about to end then, says so itself.
      if (error instanceof SourceError) return undefined;
      throw error;
    }
  }

  /**
   * Undefined when another server answers, or none.
   *
   * @throws {SourceError} what `ask` throws
   */
  async #ask<Answer>(
    signal: AbortSignal,
    ask: (session: SourceSession, identity: SourceIdentity) => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const { log, options, origin } = this.#parts;
    try {
      await using connection = await connectSource(options, signal);
      const session = new SourceSession(connection);
      const identity = await session.identify();
      if (originOf(identity) !== origin) return undefined;
      return await ask(session, identity);
    } catch (error) {
      if (error instanceof SourceError) throw error;
      const { cause, reason } = diagnose(error, "preparing", options);
      if (cause === "internal") {
        log.error("the source was not asked", { reason });
      } else log.debug("the source was not asked", { reason });
      return undefined;
    }
  }
}
