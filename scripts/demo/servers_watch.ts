import type {
  ClientConnection,
  QueryResult,
} from "../../lib/connection/client_connection.ts";
import { GtidSet } from "../../lib/gtid/gtid_set.ts";
import { DemoError } from "./demo_error.ts";
import type { KingbusProcess } from "./kingbus_process.ts";
import type { ServersState } from "./snapshot.ts";

/** Asks the three servers how far they are. */
export class ServersWatch {
  readonly #source: ClientConnection;
  readonly #kingbus: KingbusProcess;
  readonly #replica: ClientConnection;

  /** @param connections For the watch alone. */
  constructor(
    connections: { source: ClientConnection; replica: ClientConnection },
    kingbus: KingbusProcess,
  ) {
    this.#source = connections.source;
    this.#kingbus = kingbus;
    this.#replica = connections.replica;
  }

  /**
   * Reads the state of all three. The replica is asked before the source, so
   * that it never seems to be ahead of it.
   *
   * @throws {DemoError} If the replica has stopped to replicate.
   */
  async read(signal: AbortSignal): Promise<ServersState> {
    const replica = await executedSet(this.#replica, signal);
    const trouble = replicaTrouble(
      await this.#replica.query("SHOW SLAVE STATUS", { signal }),
    );
    const { syncer, server, store } = await this.#kingbus.status(signal);
    const source = await executedSet(this.#source, signal);
    const sent = server.slaves.map(({ stats }) => Number(stats.bytes_sent));
    return {
      source,
      kingbus: GtidSet.parse(syncer.executed_gtid_set),
      file: syncer.last_binlog_file,
      position: syncer.last_file_position,
      storedBytes: store.bytes,
      storedFiles: store.files,
      sentBytes: sent.reduce((sum, bytes) => sum + bytes, 0),
      replica,
      trouble,
    };
  }

  /** The source's own file and position. */
  async sourceHead(
    signal: AbortSignal,
  ): Promise<{ file: string; position: number }> {
    const { rows } = await this.#source.query("SHOW MASTER STATUS", { signal });
    const [file, position] = rows[0] ?? [];
    return { file: file ?? "", position: Number(position) };
  }
}

async function executedSet(
  connection: ClientConnection,
  signal: AbortSignal,
): Promise<GtidSet> {
  const { rows } = await connection.query("SELECT @@global.gtid_executed", {
    signal,
  });
  return GtidSet.parse(rows[0]?.[0] ?? "");
}

/**
 * Reads the answer to SHOW SLAVE STATUS.
 *
 * @returns What keeps the replica from replicating, if it will try again.
 * @throws {DemoError} If it has stopped for good.
 */
export function replicaTrouble(
  { columns, rows }: Pick<QueryResult, "columns" | "rows">,
): string | undefined {
  const field = (name: string): string =>
    rows[0]?.[columns.indexOf(name)] ?? "";
  const reason = field("Last_SQL_Error") || field("Last_IO_Error");
  const running = [field("Slave_IO_Running"), field("Slave_SQL_Running")];
  if (running.some((state) => state !== "Yes" && state !== "Connecting")) {
    throw new DemoError(
      `the replica stopped replicating: ${reason || "it does not say why"}`,
    );
  }
  if (running[0] === "Yes") return undefined;
  return `connecting to kingbus${reason === "" ? "" : `: ${reason}`}`;
}
