import type { Machine } from "./machine.ts";
import type { Measurement, PartResult, Verdict } from "./measurement.ts";

/** Everything one run of the benchmark found. */
export interface Report {
  readonly measuredAt: string;
  readonly machine: Machine;
  readonly kingbus: string;
  /** Absent where each part has servers of its own. */
  readonly source?: {
    readonly version: string;
    readonly bytes: number;
    readonly transactions: number;
  };
  readonly runs: number;
  readonly parts: readonly PartResult[];
}

const NAME_WIDTH = 34;
const NUMBER_WIDTH = 10;

/** The report's first lines: what was measured on what. */
export function formatSetting(report: Omit<Report, "parts">): string {
  const { machine, source, runs } = report;
  return [
    `machine  ${machine.cpu}, ${machine.cores} cores, ${
      (machine.memoryBytes / 2 ** 30).toFixed(1)
    } GiB, ${machine.kernel}, load ${machine.loadBefore.toFixed(1)}`,
    `kingbus  ${report.kingbus}, Deno ${machine.deno}`,
    ...source === undefined ? [] : [
      `source   MySQL ${source.version}, log of ${
        (source.bytes / 1e6).toFixed(1)
      } MB in ${source.transactions} transactions`,
    ],
    `         medians of ${runs} runs in turns; cores kept busy meanwhile`,
  ].join("\n");
}

/** One part as a table. */
export function formatPart(part: PartResult): string {
  return [
    "",
    heading(part.title),
    ...part.measurements.map(formatMeasurement),
    ...part.verdicts.map(formatVerdict),
    ...part.notes.map((note) => `  (${note})`),
  ].join("\n");
}

function heading(title: string): string {
  const columns = ["median", "min", "max"].map((column) =>
    column.padStart(NUMBER_WIDTH)
  );
  const width = NAME_WIDTH + 2;
  return title.length < width
    ? `${title.padEnd(width)}${columns.join("")}`
    : `${title}\n${" ".repeat(width)}${columns.join("")}`;
}

function formatMeasurement({ name, unit, sample, cores }: Measurement): string {
  const numbers = [sample.median, sample.min, sample.max].map((value) =>
    formatNumber(value).padStart(NUMBER_WIDTH)
  );
  const busy = Object.entries(cores ?? {}).map(([process, share]) =>
    `${process} ${share.toFixed(2)}`
  );
  const line = `  ${name.padEnd(NAME_WIDTH)}${numbers.join("")} ${unit}`;
  return busy.length === 0 ? line : `${line.padEnd(76)}${busy.join(", ")}`;
}

function formatVerdict({ name, value, unit, target, met }: Verdict): string {
  const number = formatNumber(value).padStart(NUMBER_WIDTH);
  const verdict = met ? "met" : "MISSED";
  return `  ${
    name.padEnd(NAME_WIDTH)
  }${number} ${unit}  target ${target}: ${verdict}`;
}

function formatNumber(value: number): string {
  return value.toFixed(Math.abs(value) < 100 ? 2 : 0);
}
