/**
 * `deno task bench`: measures kingbus side by side with the server it follows.
 *
 * @module
 */

import { VERSION } from "../lib/version.ts";
import { BenchContext } from "./bench/bench_context.ts";
import { BenchError } from "./bench/bench_error.ts";
import {
  BENCH_USAGE,
  type BenchOptions,
  type BenchPart,
  parseBenchOptions,
} from "./bench/bench_options.ts";
import { BenchSource } from "./bench/bench_source.ts";
import { describeMachine } from "./bench/machine.ts";
import type { PartResult } from "./bench/measurement.ts";
import { measureDump } from "./bench/measure_dump.ts";
import { measureFanout } from "./bench/measure_fanout.ts";
import { measureIngest } from "./bench/measure_ingest.ts";
import { measureLatency } from "./bench/measure_latency.ts";
import { formatPart, formatSetting } from "./bench/report.ts";

const MEASURES: Record<
  BenchPart,
  (context: BenchContext) => Promise<PartResult>
> = {
  ingest: measureIngest,
  dump: measureDump,
  fanout: measureFanout,
  latency: measureLatency,
};

const progress = (what: string): void => console.error(`… ${what}`);

async function bench(options: BenchOptions): Promise<void> {
  const machine = await describeMachine();
  progress("looking for a source");
  await using source = await BenchSource.open(options.server);
  await source.fill(
    options.bytes,
    (missing) => progress(`${(missing / 1e6).toFixed(0)} MB to load`),
  );
  const log = await source.log();
  const setting = {
    measuredAt: new Date().toISOString(),
    machine,
    kingbus: VERSION,
    source: {
      version: source.version,
      bytes: log.bytes,
      transactions: log.transactions,
    },
    runs: options.runs,
  };
  console.log(formatSetting(setting));
  const folder = await Deno.makeTempDir({ prefix: "kingbus-bench-" });
  Deno.addSignalListener("SIGINT", () => {
    // What still runs notices that this process is gone, and goes too.
    Deno.removeSync(folder, { recursive: true });
    Deno.exit(130);
  });
  const parts: PartResult[] = [];
  try {
    const { runs, main } = options;
    const context = new BenchContext({
      source,
      log,
      runs,
      main,
      folder,
      progress,
    });
    for (const part of options.parts) {
      const result = await MEASURES[part](context);
      parts.push(result);
      console.log(formatPart(result));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const report = JSON.stringify({ ...setting, parts }, null, 2);
  await Deno.writeTextFile(options.json, `${report}\n`);
  progress(`wrote ${options.json}`);
}

if (import.meta.main) {
  try {
    const options = parseBenchOptions(Deno.args);
    if (options === undefined) console.log(BENCH_USAGE);
    else await bench(options);
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    console.error(`bench: ${error.message}`);
    Deno.exit(1);
  }
}
