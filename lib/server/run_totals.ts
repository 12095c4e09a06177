import type { CounterValues } from "./server_counters.ts";

/** What the runs of a binlog server have counted together. */
export interface TotalCounts {
  /** Connections accepted, those that were refused too. */
  readonly connections: number;
  /** Commands received, of whatever kind. */
  readonly questions: number;
  readonly bytesReceived: number;
  /** Bytes of replies and dumps, of those under way as well. */
  readonly bytesSent: number;
  /** Statements by what MySQL counts them as, such as `Com_select`. */
  readonly statements: ReadonlyMap<string, number>;
}

/** A run of the server as far as its counts go. */
export interface CountedRun {
  /** What it has counted, dumps under way included. */
  counts(): CounterValues;
}

/**
 * Adds up what a server's runs have counted, so that nothing starts over when
 * it is stopped and started; a run that is still stopping is counted, too.
 */
export class RunTotals {
  readonly #runs = new Set<CountedRun>();
  #past: TotalCounts;

  /** @param names all names that statements are counted under */
  constructor(names: readonly string[]) {
    this.#past = {
      connections: 0,
      questions: 0,
      bytesReceived: 0,
      bytesSent: 0,
      statements: new Map(names.map((name) => [name, 0])),
    };
  }

  /** A run has begun. */
  began(run: CountedRun): void {
    this.#runs.add(run);
  }

  /** A run has ended: it counts nothing more. */
  ended(run: CountedRun): void {
    if (this.#runs.delete(run)) this.#past = add(this.#past, run.counts());
  }

  /** All of it, now. */
  now(): TotalCounts {
    let total = this.#past;
    for (const run of this.#runs) total = add(total, run.counts());
    return total;
  }
}

function add(total: TotalCounts, run: CounterValues): TotalCounts {
  const statements = new Map(total.statements);
  for (const [name, count] of run.statements) {
    statements.set(name, (statements.get(name) ?? 0) + count);
  }
  return {
    connections: total.connections + run.connections,
    questions: total.questions + run.questions,
    bytesReceived: total.bytesReceived + Number(run.bytesReceived),
    bytesSent: total.bytesSent + Number(run.bytesSent),
    statements,
  };
}
