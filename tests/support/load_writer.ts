import { ConnectionError } from "../../lib/connection/connection_error.ts";
import type { GroupServer } from "./server_group.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import { SeededRandom } from "./seeded_random.ts";

/** Makes the table that a {@linkcode LoadWriter} writes into. */
export const LOAD_TABLE =
  "CREATE TABLE test.t (id INT AUTO_INCREMENT PRIMARY KEY, n INT DEFAULT 0, data LONGBLOB)";

/** Writes transactions of all sizes on a connection of its own until told. */
export class LoadWriter implements AsyncDisposable {
  readonly #random: SeededRandom;
  readonly #done: Promise<void>;
  #stopping = false;
  /** Transactions written so far. */
  transactions = 0;

  /** Begins to write into {@linkcode LOAD_TABLE}. */
  constructor(server: Pick<GroupServer, "connect" | "running">, seed: number) {
    this.#random = new SeededRandom(seed);
    this.#done = this.#write(server);
  }

  /** Waits until it has written so many more. */
  async more(count: number): Promise<void> {
    const wanted = this.transactions + count;
    await waitUntil(`${count} more transactions were written`, () => {
      return this.transactions >= wanted;
    }, { intervalMs: 1 });
  }

  /** Waits for the transaction under way, and ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    await this.#done;
  }

  async #write(
    server: Pick<GroupServer, "connect" | "running">,
  ): Promise<void> {
    while (!this.#stopping) {
      try {
        await using connection = await server.connect();
        while (!this.#stopping) {
          for (const sql of this.#transaction()) await connection.query(sql);
          this.transactions += 1;
        }
      } catch (error) {
        // the server was ended, and will be back
        if (!(error instanceof ConnectionError)) throw error;
        await waitUntil("the server was back or not needed any more", () => {
          return server.running || this.#stopping;
        });
      }
    }
  }

  #transaction(): string[] {
    const random = this.#random;
    const bytes = random.pick([1, 10, 100, 1000, 70_000]);
    if (random.chance(0.02)) return ["FLUSH LOGS"];
    if (random.chance(0.1)) {
      return ["UPDATE test.t SET n = n + 1 WHERE id % 7 = 0"];
    }
    if (random.chance(0.02)) {
      return [
        "BEGIN",
        ...Array(30).fill(
          "INSERT INTO test.t (data) VALUES (REPEAT('large', 12000))",
        ),
        "COMMIT",
      ];
    }
    const rows = Array.from(
      { length: random.integer(1, 4) },
      () => `INSERT INTO test.t (data) VALUES (REPEAT('x', ${bytes}))`,
    );
    const end = random.chance(0.1) ? "ROLLBACK" : "COMMIT";
    return ["BEGIN", ...rows, end];
  }
}
