import type { ClientConnection } from "../../lib/connection/client_connection.ts";
import { ConnectionError } from "../../lib/connection/connection_error.ts";
import { ServerError } from "../../lib/protocol/server_error.ts";
import type { Mysql56 } from "../../scripts/test_servers/mysql56.ts";
import { SeededRandom } from "../support/seeded_random.ts";
import type { RoundLoad } from "./crash_plan.ts";

/** What a {@linkcode CrashLoad} has written; statements that failed not. */
export interface LoadCounts {
  readonly transactions: number;
  readonly large: number;
  readonly huge: number;
  readonly schemaChanges: number;
  readonly newFiles: number;
}

/** Connections that write small transactions at the same time. */
const WRITERS = 4;

/** Bytes of the statement that becomes an event of more than 16 MiB. */
const HUGE_BYTES = [16_777_100, 16_777_216, 16_900_000, 17_500_000];

/** Rows of {@linkcode ROW_BYTES} bytes of a large transaction, at most. */
const LARGE_ROWS_MAX = 40;
const ROW_BYTES = 60_000;

/** Rows kept of each table: comparing them must stay cheap. */
const ROWS_KEPT = 4_000;
const LARGE_ROWS_KEPT = 60;

/** Refusals after which a transaction may simply be tried again. */
const RETRIABLE_CODES = [
  1205, // ER_LOCK_WAIT_TIMEOUT
  1213, // ER_LOCK_DEADLOCK
  1412, // ER_TABLE_DEF_CHANGED
  1053, // ER_SERVER_SHUTDOWN
];

/** Pause when there is nothing to do, in ms. */
const LOOK_MS = 5;

/** Makes the tables it writes into. */
const SCHEMA = [
  "CREATE TABLE test.small (id INT AUTO_INCREMENT PRIMARY KEY, n INT NOT NULL DEFAULT 0, data VARCHAR(2000), KEY (n))",
  "CREATE TABLE test.large (id INT AUTO_INCREMENT PRIMARY KEY, data LONGBLOB)",
  "CREATE TABLE test.huge (id INT AUTO_INCREMENT PRIMARY KEY, bytes INT)",
];

/**
 * Writes on the source for as long as a run lasts: small transactions by some
 * connections at full speed, and beside them changes of the schema, large
 * transactions, large events and new files. What each connection writes, and in
 * which order, is the seed's; how they interleave is not.
 */
export class CrashLoad implements AsyncDisposable {
  readonly #server: Mysql56;
  readonly #tasks: Promise<void>[];
  readonly #onFault: (error: unknown) => void;
  #extra: Promise<void> = Promise.resolve();
  #stopping = false;
  #held = false;
  #behind = false;
  #busy = 0;
  #changing = false;
  #schemaHeld = false;
  #transactions = 0;
  #large = 0;
  #huge = 0;
  #schemaChanges = 0;
  #newFiles = 0;

  private constructor(
    server: Mysql56,
    seed: number,
    onFault: (error: unknown) => void,
  ) {
    this.#server = server;
    this.#onFault = onFault;
    this.#tasks = Array.from({ length: WRITERS }, (_, index) => {
      const random = new SeededRandom(seed + 1 + index);
      return this.#work(async (connection) => {
        await this.#transaction(connection, smallTransaction(random));
        this.#transactions++;
        return 0;
      });
    });
    this.#tasks.push(this.#occasions(new SeededRandom(seed + 100)));
  }

  /**
   * Makes the tables and begins to write.
   *
   * @param onFault told once of what should not have happened
   */
  static async begin(
    server: Mysql56,
    seed: number,
    onFault: (error: unknown) => void,
  ): Promise<CrashLoad> {
    for (const statement of SCHEMA) await server.query(statement);
    return new CrashLoad(server, seed, onFault);
  }

  /** What it has written so far. */
  get counts(): LoadCounts {
    return {
      transactions: this.#transactions,
      large: this.#large,
      huge: this.#huge,
      schemaChanges: this.#schemaChanges,
      newFiles: this.#newFiles,
    };
  }

  /** Writes less while the replica is far behind. */
  set behind(behind: boolean) {
    this.#behind = behind;
  }

  /** Writes nothing until `goOn`; resolves when nothing is under way. */
  async hold(): Promise<void> {
    this.#held = true;
    await this.#extra;
    while (this.#busy > 0 && !this.#stopping) await sleep(LOOK_MS);
  }

  /** Writes again. */
  goOn(): void {
    this.#held = false;
  }

  /**
   * Changes no schema until `allowSchemaChanges`; resolves when none is under
   * way. MySQL 5.6 does not recover from a crash in the middle of one: a table
   * may be there that the log does not know, or the other way round.
   */
  async holdSchemaChanges(): Promise<void> {
    this.#schemaHeld = true;
    while (this.#changing && !this.#stopping) await sleep(LOOK_MS);
  }

  /** Changes the schema again. */
  allowSchemaChanges(): void {
    this.#schemaHeld = false;
  }

  /** Begins to write a large or huge transaction, and does not wait for it. */
  async begins(load: RoundLoad, random: SeededRandom): Promise<void> {
    await this.#extra;
    if (load === "usual") return;
    this.#extra = this.#once(async (connection) => {
      if (load === "large") await this.#writeLarge(connection, random);
      else await this.#writeHuge(connection, random);
    });
  }

  /** Waits for what is under way, and ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#tasks, this.#extra]);
  }

  /** Runs `turn` again and again, on a new connection when one was lost. */
  async #work(
    turn: (connection: ClientConnection) => Promise<number>,
  ): Promise<void> {
    while (!this.#stopping) {
      await this.#once(async (connection) => {
        while (!this.#stopping) {
          if (this.#held || this.#behind) {
            await sleep(LOOK_MS);
            continue;
          }
          this.#busy++;
          let pauseMs;
          try {
            pauseMs = await turn(connection);
          } finally {
            this.#busy--;
          }
          if (pauseMs > 0) await sleep(pauseMs);
        }
      });
      await sleep(LOOK_MS);
    }
  }

  /** Does something on a connection of its own; losing it is no fault. */
  async #once(
    work: (connection: ClientConnection) => Promise<void>,
  ): Promise<void> {
    try {
      await using connection = await this.#server.connect();
      await work(connection);
    } catch (error) {
      const lost = error instanceof ConnectionError ||
        error instanceof ServerError && RETRIABLE_CODES.includes(error.code);
      if (!lost) this.#onFault(error);
    }
  }

  async #transaction(
    connection: ClientConnection,
    statements: readonly string[],
  ): Promise<void> {
    try {
      for (const statement of statements) await connection.query(statement);
    } catch (error) {
      const passes = error instanceof ServerError &&
        RETRIABLE_CODES.includes(error.code);
      if (!passes) throw error;
      await connection.query("ROLLBACK");
    }
  }

  #occasions(random: SeededRandom): Promise<void> {
    let step = 0;
    return this.#work(async (connection) => {
      const draw = random.next();
      const pauseMs = random.integer(20, 400);
      if (draw < 0.5) {
        if (this.#schemaHeld) return LOOK_MS;
        this.#changing = true;
        try {
          for (const statement of schemaChange(step)) {
            await connection.query(statement);
          }
        } finally {
          this.#changing = false;
        }
        step++;
        this.#schemaChanges++;
      } else if (draw < 0.75) {
        await this.#writeLarge(connection, random);
      } else {
        await connection.query("FLUSH LOGS");
        this.#newFiles++;
      }
      return pauseMs;
    });
  }

  async #writeLarge(
    connection: ClientConnection,
    random: SeededRandom,
  ): Promise<void> {
    const rows = random.integer(14, LARGE_ROWS_MAX);
    const letter = random.pick([..."abcdefgh"]);
    await this.#transaction(connection, [
      "BEGIN",
      ...Array.from(
        { length: rows },
        (_, row) =>
          `INSERT INTO test.large (data) VALUES (REPEAT('${letter}${row}', ${
            Math.floor(ROW_BYTES / `${letter}${row}`.length)
          }))`,
      ),
      `DELETE FROM test.large WHERE id + ${LARGE_ROWS_KEPT} < LAST_INSERT_ID()`,
      random.chance(0.1) ? "ROLLBACK" : "COMMIT",
    ]);
    this.#large++;
  }

  /** The statement itself is what is long: the row stays small. */
  async #writeHuge(
    connection: ClientConnection,
    random: SeededRandom,
  ): Promise<void> {
    const text = random.pick([..."xyz"]).repeat(random.pick(HUGE_BYTES));
    const asRows = random.chance(0.5);
    await this.#transaction(connection, [
      asRows
        ? "SET binlog_rows_query_log_events = ON"
        : "SET binlog_format = STATEMENT",
      "BEGIN",
      `INSERT INTO test.small (n) VALUES (${random.integer(1, 1000)})`,
      `INSERT INTO test.huge (bytes) VALUES (LENGTH('${text}'))`,
      "COMMIT",
    ]);
    this.#huge++;
  }
}

function smallTransaction(random: SeededRandom): readonly string[] {
  const draw = random.next();
  const n = random.integer(1, 1000);
  if (draw < 0.15) {
    return [`UPDATE test.small SET n = n + 1 WHERE n = ${n} LIMIT 20`];
  }
  if (draw < 0.25) {
    return [
      "SET @edge = (SELECT MAX(id) FROM test.small)",
      `DELETE FROM test.small WHERE id < @edge - ${ROWS_KEPT} LIMIT 100`,
    ];
  }
  const rows = Array.from(
    { length: random.integer(1, 4) },
    () =>
      `INSERT INTO test.small (n, data) VALUES (${
        random.integer(1, 1000)
      }, REPEAT('s', ${random.pick([1, 10, 100, 1500])}))`,
  );
  return ["BEGIN", ...rows, random.chance(0.05) ? "ROLLBACK" : "COMMIT"];
}

/** Statements that change the schema; each step is undone by a later one. */
function schemaChange(step: number): readonly string[] {
  const table = `test.made_${Math.floor(step / 6)}`;
  const steps = [
    [`CREATE TABLE ${table} (id INT PRIMARY KEY, name VARCHAR(20)) CHARSET utf8`],
    [`INSERT INTO ${table} VALUES (1, 'naïve ∑'), (2, NULL)`],
    [`ALTER TABLE ${table} ADD COLUMN n INT NOT NULL DEFAULT 5, ADD INDEX (n)`],
    [`UPDATE ${table} SET n = id WHERE id = 1`],
    [`TRUNCATE ${table}`, `INSERT INTO ${table} VALUES (3, 'three', 3)`],
    [`DROP TABLE ${table}`],
  ];
  return steps[step % steps.length]!;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
