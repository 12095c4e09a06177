/** What was counted, without the counting. */
export type CounterValues = Readonly<
  Omit<ServerCounters, "statement" | "connected">
>;

/** What a server has counted since it started, as `SHOW GLOBAL STATUS` shows it. */
export class ServerCounters {
  /** Commands received, of whatever kind. */
  questions = 0;
  /** Statements by what MySQL counts them as, such as `Com_select`. */
  readonly statements: Map<string, number>;
  /** Connections accepted, those that were refused too. */
  connections = 0;
  /** The most connections at one time. */
  connectionsMax = 0;
  /** Sessions that ended otherwise than by the client's wish or a KILL. */
  abortedClients = 0;
  /** Bytes of commands. */
  bytesReceived = 0n;
  /** Bytes of replies and dumps. */
  bytesSent = 0n;

  /** @param names all names that statements are counted under */
  constructor(names: readonly string[]) {
    this.statements = new Map(names.map((name) => [name, 0]));
  }

  /** Counts a statement under these names. */
  statement(names: readonly string[]): void {
    for (const name of names) {
      this.statements.set(name, (this.statements.get(name) ?? 0) + 1);
    }
  }

  /** Notes how many connections there are with a new one. */
  connected(count: number): void {
    this.connectionsMax = Math.max(this.connectionsMax, count);
  }
}
