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
import { measureExport } from "./bench/measure_export.ts";
import { measureFanout } from "./bench/measure_fanout.ts";
import { measureHostile } from "./bench/measure_hostile.ts";
import { measureImport } from "./bench/measure_import.ts";
import { measureIdle } from "./bench/measure_idle.ts";
import { measureIngest } from "./bench/measure_ingest.ts";
import { measureLarge } from "./bench/measure_large.ts";
import { measureLatency } from "./bench/measure_latency.ts";
import { measureLogin } from "./bench/measure_login.ts";
import { measureMetrics } from "./bench/measure_metrics.ts";
import { measureOpen } from "./bench/measure_open.ts";
import { measurePage } from "./bench/measure_page.ts";
import { measureSemiSync } from "./bench/measure_semi_sync.ts";
import { measureStart } from "./bench/measure_start.ts";
import { measureTls } from "./bench/measure_tls.ts";
import { measureVerify } from "./bench/measure_verify.ts";
import { measureZstd } from "./bench/measure_zstd.ts";
import { formatPart, formatSetting, type Report } from "./bench/report.ts";

/** Parts that are measured with one source and its log. */
const MEASURES: ReadonlyMap<
  BenchPart,
  (context: BenchContext) => Promise<PartResult>
> = new Map([
  ["ingest", measureIngest],
  ["dump", measureDump],
  ["fanout", measureFanout],
  ["latency", measureLatency],
  ["import", measureImport],
  ["export", measureExport],
  ["verify", measureVerify],
  ["hostile", measureHostile],
  ["zstd", measureZstd],
  ["tls", measureTls],
]);

const progress = (what: string): void => console.error(`… ${what}`);

async function bench(options: BenchOptions): Promise<void> {
  const machine = await describeMachine();
  const folder = await Deno.makeTempDir({ prefix: "kingbus-bench-" });
  Deno.addSignalListener("SIGINT", () => {
    // What still runs notices that this process is gone, and goes too.
    Deno.removeSync(folder, { recursive: true });
    Deno.exit(130);
  });
  try {
    const setting = {
      measuredAt: new Date().toISOString(),
      machine,
      kingbus: VERSION,
      runs: options.runs,
    };
    const parts: PartResult[] = [];
    const print = (part: PartResult): void => {
      parts.push(part);
      console.log(formatPart(part));
    };
    const ofLog = options.parts.filter((part) => MEASURES.has(part));
    const source = ofLog.length === 0
      ? undefined
      : await measureLog({ ...options, parts: ofLog }, folder, {
        begin: (source) => console.log(formatSetting({ ...setting, source })),
        print,
      });
    if (source === undefined) console.log(formatSetting(setting));
    if (options.parts.includes("semisync")) {
      const { runs, main } = options;
      print(await measureSemiSync({ runs, main, folder, progress }));
    }
    if (options.parts.includes("open")) {
      const { runs, main, openBytes: bytes } = options;
      print(await measureOpen({ runs, main, folder, bytes, progress }));
    }
    if (options.parts.includes("large")) {
      const { runs, main, eventBytes } = options;
      print(await measureLarge({ runs, main, folder, eventBytes, progress }));
    }
    if (options.parts.includes("idle")) {
      const { runs, main, replicas } = options;
      print(await measureIdle({ runs, main, folder, replicas, progress }));
    }
    if (options.parts.includes("metrics")) {
      const { runs, main, replicas } = options;
      print(await measureMetrics({ runs, main, folder, replicas, progress }));
    }
    if (options.parts.includes("login")) {
      const { runs, main } = options;
      print(await measureLogin({ runs, main, folder, progress }));
    }
    if (options.parts.includes("start")) {
      const { runs, executable, openBytes: bytes } = options;
      print(
        await measureStart({ runs, executable, folder, bytes, progress }),
      );
    }
    if (options.parts.includes("page")) {
      const { runs, main, replicas } = options;
      print(await measurePage({ runs, main, folder, replicas, progress }));
    }
    const report: Report = source === undefined
      ? { ...setting, parts }
      : { ...setting, source, parts };
    await Deno.writeTextFile(
      options.json,
      `${JSON.stringify(report, null, 2)}\n`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  progress(`wrote ${options.json}`);
}

/** Measures the parts that need a source with a large log; answers its facts. */
async function measureLog(
  options: BenchOptions,
  folder: string,
  tell: {
    begin(source: NonNullable<Report["source"]>): void;
    print(part: PartResult): void;
  },
): Promise<NonNullable<Report["source"]>> {
  progress("looking for a source");
  await using source = await BenchSource.open(options.server);
  await source.fill(
    options.bytes,
    (missing) => progress(`${(missing / 1e6).toFixed(0)} MB to load`),
  );
  const log = await source.log();
  const facts = {
    version: source.version,
    bytes: log.bytes,
    transactions: log.transactions,
  };
  tell.begin(facts);
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
    tell.print(await MEASURES.get(part)!(context));
  }
  return facts;
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
