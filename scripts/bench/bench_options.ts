import { parseArgs } from "@std/cli";
import { BenchError } from "./bench_error.ts";

/** The parts of the benchmark. */
export const BENCH_PARTS = [
  "ingest",
  "dump",
  "fanout",
  "latency",
  "import",
  "semisync",
  "export",
  "verify",
  "open",
  "large",
  "idle",
  "login",
  "zstd",
  "tls",
  "hostile",
  "start",
  "page",
  "metrics",
] as const;
/** One of them. */
export type BenchPart = typeof BENCH_PARTS[number];

/** What the command line asks for. */
export interface BenchOptions {
  /** The least binary log to measure with, in bytes. */
  readonly bytes: number;
  /** Size of the store that is opened, in bytes. */
  readonly openBytes: number;
  /** Size of the one large event, in bytes. */
  readonly eventBytes: number;
  /** How many replicas are connected and idle. */
  readonly replicas: number;
  /** How often each measurement is made. */
  readonly runs: number;
  readonly parts: readonly BenchPart[];
  /** Which server to take as source; undefined: whichever is there. */
  readonly server: "5.6" | "9.7" | undefined;
  /** Where the results go. */
  readonly json: string;
  /** Entry point of the kingbus that is measured. */
  readonly main: string;
  /** The executable whose start is measured. */
  readonly executable: string;
}

/** Printed for `--help`. */
export const BENCH_USAGE = `deno task bench [options]

Measures kingbus side by side with its source, prints a table, writes JSON.

  --megabytes N   binary log to measure with, in 10^6 bytes (320)
  --gigabytes N   store to open, in 10^9 bytes (1)
  --event-megabytes N  the large event, in 10^6 bytes (1073, which is the most)
  --replicas N    replicas connected and idle (1000)
  --runs N        how often each measurement is made (5)
  --only PARTS    of ${BENCH_PARTS.join(", ")} (all)
  --server V      9.7: that of the test rig; 5.6: one of its own, from npm
                  (9.7 when it answers, else 5.6)
  --json PATH     where the results go (bench-results.json)
  --executable PATH  whose start is measured (dist/kingbus)
  --main PATH     entry point to measure (main.ts of this project)
`;

/**
 * Reads the command line; undefined when help is wanted.
 *
 * @throws {BenchError} If it cannot be understood.
 */
export function parseBenchOptions(
  args: readonly string[],
): BenchOptions | undefined {
  const flags = parseArgs([...args], {
    string: [
      "megabytes",
      "gigabytes",
      "event-megabytes",
      "replicas",
      "runs",
      "only",
      "server",
      "json",
      "main",
      "executable",
    ],
    boolean: ["help"],
    default: {
      megabytes: "320",
      gigabytes: "1",
      "event-megabytes": "1073",
      replicas: "1000",
      runs: "5",
      only: BENCH_PARTS.join(","),
      json: "bench-results.json",
      executable: new URL("../../dist/kingbus", import.meta.url).pathname,
      main: new URL("../../main.ts", import.meta.url).pathname,
    },
    unknown: (arg) => {
      throw new BenchError(`There is no option ${JSON.stringify(arg)}`);
    },
  });
  if (flags.help) return undefined;
  return {
    bytes: wholeNumber("megabytes", flags.megabytes) * 1e6,
    openBytes: wholeNumber("gigabytes", flags.gigabytes) * 1e9,
    eventBytes: wholeNumber("event-megabytes", flags["event-megabytes"]) * 1e6,
    replicas: wholeNumber("replicas", flags.replicas),
    runs: wholeNumber("runs", flags.runs),
    parts: parseParts(flags.only),
    server: parseServer(flags.server),
    json: flags.json,
    main: flags.main,
    executable: flags.executable,
  };
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new BenchError(`--${name} takes a whole number above 0, not "${text}"`);
}

function parseParts(text: string): BenchPart[] {
  const asked = text.split(",");
  for (const name of asked) {
    if (BENCH_PARTS.some((part) => part === name)) continue;
    throw new BenchError(
      `--only takes ${BENCH_PARTS.join(", ")}, not "${name}"`,
    );
  }
  return BENCH_PARTS.filter((part) => asked.includes(part));
}

function parseServer(text: string | undefined): "5.6" | "9.7" | undefined {
  if (text === undefined || text === "5.6" || text === "9.7") return text;
  throw new BenchError(`--server takes 5.6 or 9.7, not "${text}"`);
}
