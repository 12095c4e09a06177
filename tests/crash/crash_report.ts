import type { LoadCounts } from "./crash_load.ts";
import { FAULT_KINDS, type FaultKind } from "./crash_plan.ts";

/** What a run of the crash test did. */
export interface CrashReport {
  readonly seed: number;
  /** Rounds asked for. */
  readonly wanted: number;
  /** Rounds played by kind of fault. */
  readonly kinds: ReadonlyMap<FaultKind, number>;
  readonly seconds: number;
  /** How often everything was proven. */
  readonly proofs: number;
  /** Bytes compared with the source's, all proofs together. */
  readonly bytes: number;
  /** Files that kingbus served, and transactions in them, all proofs together. */
  readonly files: number;
  readonly transactions: number;
  readonly load: LoadCounts | undefined;
  readonly kingbusStarts: number;
  readonly connectionsCut: number;
  /** Files that kingbus said it had purged before it could be killed. */
  readonly purgedFiles: number;
  /** What the client got that was there all along. */
  readonly witness: {
    readonly connections: number;
    readonly events: number;
    readonly bytes: number;
  };
  /** What `kingbus verify` said in the end, if it was asked. */
  readonly verified: string | undefined;
  /** What went wrong; undefined if nothing did. */
  readonly failure: string | undefined;
  /** Folder with all data and logs, if it was kept. */
  readonly folder: string | undefined;
}

/** A whole number with a comma between thousands. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** The summary that ends a run. */
export function formatCrashReport(report: CrashReport): string {
  const rounds = [...report.kinds.values()].reduce((sum, one) => sum + one, 0);
  const rows: [string, string][] = [
    ["rounds", `${rounds} of ${report.wanted}`],
    ...FAULT_KINDS.flatMap((kind): [string, string][] => {
      const count = report.kinds.get(kind);
      return count === undefined ? [] : [[`  ${kind}`, formatCount(count)]];
    }),
    ["seconds", report.seconds.toFixed(1)],
    ["kingbus started", formatCount(report.kingbusStarts)],
    ["connections cut", formatCount(report.connectionsCut)],
    ["proofs of everything", formatCount(report.proofs)],
    ["bytes compared", formatCount(report.bytes)],
    ["files purged", formatCount(report.purgedFiles)],
    ["files compared", formatCount(report.files)],
    ["transactions read back", formatCount(report.transactions)],
  ];
  const { load, witness } = report;
  if (load !== undefined) {
    rows.push(
      ["  larger than a commit", formatCount(load.large)],
      ["  with an event above 16 MiB", formatCount(load.huge)],
      ["  changes of the schema", formatCount(load.schemaChanges)],
      ["FLUSH LOGS", formatCount(load.newFiles)],
    );
  }
  rows.push(
    ["witness: connections", formatCount(witness.connections)],
    ["witness: events", formatCount(witness.events)],
    ["witness: bytes", formatCount(witness.bytes)],
  );
  if (report.verified !== undefined) {
    rows.push(["kingbus verify", report.verified]);
  }
  rows.push(["failures", report.failure === undefined ? "0" : "1"]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  if (report.failure !== undefined) {
    lines.push("", `FAILED: ${report.failure}`);
  }
  if (report.folder !== undefined) {
    lines.push(`All data and logs are in ${report.folder}`);
  }
  lines.push(`Replay the decisions with --seed ${report.seed}`);
  return lines.join("\n");
}
