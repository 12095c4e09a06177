import type { ClientConnection } from "../../lib/connection/client_connection.ts";
import { ServerError } from "../../lib/protocol/server_error.ts";
import { Occasions } from "./occasions.ts";
import type { Pacer } from "./pacer.ts";
import { pause } from "./pause.ts";
import { DATABASE } from "./schema.ts";
import {
  planLargeTransaction,
  planSchemaChange,
  planTransaction,
  type Random,
} from "./transaction_plan.ts";

/** What was written beside the everyday transactions. */
export interface WorkloadCounts {
  /** Changes of the schema. */
  readonly schemaChanges: number;
  /** Transactions of some megabytes. */
  readonly large: number;
  /** Transactions that a deadlock ended; others went on in their place. */
  readonly deadlocks: number;
}

/** What a {@linkcode Workload} writes with. */
export interface WorkloadOptions {
  /** Opens a connection to the source. */
  readonly connect: () => Promise<ClientConnection>;
  readonly pacer: Pacer;
  readonly random: Random;
}

/** Runs a statement on a writer's connection. */
type Run = (statement: string) => Promise<unknown>;

/** Connections that write at the same time. */
const WRITERS = 4;

/** Refusals after which a transaction may simply be tried again. */
const RETRIABLE_CODES = [
  1205, // ER_LOCK_WAIT_TIMEOUT
  1213, // ER_LOCK_DEADLOCK
  1412, // ER_TABLE_DEF_CHANGED
];

/** Writes on the source by several connections, until it is told to stop. */
export class Workload {
  readonly #options: WorkloadOptions;
  readonly #occasions = new Occasions();
  #schemaChanges = 0;
  #large = 0;
  #deadlocks = 0;

  constructor(options: WorkloadOptions) {
    this.#options = options;
  }

  /** What was written so far. */
  get counts(): WorkloadCounts {
    return {
      schemaChanges: this.#schemaChanges,
      large: this.#large,
      deadlocks: this.#deadlocks,
    };
  }

  /**
   * Writes until told to stop, then ends the transactions under way.
   *
   * @param giveUp Ends those at once as well.
   * @throws What a connection throws but for refusals that pass.
   */
  async run(stop: AbortSignal, giveUp: AbortSignal): Promise<void> {
    // the first writer to fail ends the others
    const failed = new AbortController();
    const end = AbortSignal.any([stop, giveUp, failed.signal]);
    const startMs = performance.now();
    const writers = Array.from({ length: WRITERS }, async (_, index) => {
      try {
        await using connection = await this.#options.connect();
        const run = (statement: string): Promise<unknown> =>
          connection.query(statement, { signal: giveUp });
        await run(`USE ${DATABASE}`);
        // one of them sees to the occasions, which then follow one another
        await this.#write(run, end, index === 0 ? startMs : undefined);
      } catch (error) {
        failed.abort();
        throw error;
      }
    });
    const results = await Promise.allSettled(writers);
    for (const result of results) {
      if (result.status === "rejected") throw result.reason;
    }
  }

  async #write(
    run: Run,
    end: AbortSignal,
    startMs: number | undefined,
  ): Promise<void> {
    const { pacer, random } = this.#options;
    while (!end.aborted) {
      try {
        await pause(pacer.reserve(performance.now()), end);
      } catch {
        return; // it is the end
      }
      if (startMs !== undefined && await this.#mark(run, startMs)) continue;
      await this.#commit(run, planTransaction(random).statements);
    }
  }

  /** Does what is due beside the everyday transactions, if anything is. */
  async #mark(run: Run, startMs: number): Promise<boolean> {
    switch (this.#occasions.next(performance.now() - startMs)) {
      case "schema change":
        for (const statement of planSchemaChange(this.#schemaChanges)) {
          await run(statement);
        }
        this.#schemaChanges++;
        return true;
      case "large transaction":
        if (await this.#commit(run, planLargeTransaction().statements)) {
          this.#large++;
        }
        return true;
      case "new log file":
        await run("FLUSH BINARY LOGS");
        return true;
      default:
        return false;
    }
  }

  /** Runs one transaction; `false` if it had to be rolled back. */
  async #commit(run: Run, statements: readonly string[]): Promise<boolean> {
    try {
      await run("BEGIN");
      for (const statement of statements) await run(statement);
      await run("COMMIT");
      return true;
    } catch (error) {
      const passes = error instanceof ServerError &&
        RETRIABLE_CODES.includes(error.code);
      if (!passes) throw error;
      this.#deadlocks++;
      await run("ROLLBACK");
      return false;
    }
  }
}
