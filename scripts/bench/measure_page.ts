import {
  SOURCE_IDENTITY_META,
  type SourceIdentity,
} from "../../lib/store/source_identity.ts";
import { BenchError } from "./bench_error.ts";
import { runBenchProgram, spawnDeno } from "./bench_process.ts";
import type { ReaderInput, ReaderResult } from "./discarding_reader.ts";
import type { IdleInput } from "./idle_replicas.ts";
import { KingbusProcess } from "./kingbus_process.ts";
import { MadeStore } from "./made_store.ts";
import {
  atLeast,
  below,
  type Measurement,
  type PartResult,
} from "./measurement.ts";
import { sampleOf } from "./sample.ts";

/** The project's targets: of one core, and of the rate without a page. */
const CORE_TARGET_PERCENT = 1;
const DUMP_TARGET = 0.97;

/** What the logins leave behind is gone after this. */
const SETTLE_MS = 5_000;

/** How long the cost is watched, with the page and without. */
const WATCH_MS = 15_000;

/** A replica's position and bytes change with each, so that there is news. */
const HEARTBEAT_MS = 1_000;

const SOURCE: SourceIdentity = {
  flavour: "mysql",
  serverId: "1",
  uuid: "3e11fa47-71ca-11e1-9e33-c80aa9429562",
  version: "9.7.0-made",
  gtidMode: "ON",
  binlogFormat: "ROW",
  binlogChecksum: "NONE",
  binlogRowImage: "FULL",
};

/** A node whose page is open. */
interface Node {
  readonly replicas: number;
  readonly files: number;
  readonly fileBytes: number;
}

/** What the measurement needs. */
export interface PageMeasure {
  readonly runs: number;
  /** Entry point of kingbus. */
  readonly main: string;
  /** Folder for the stores. */
  readonly folder: string;
  /** How many replicas the large node has. */
  readonly replicas: number;
  readonly progress: (what: string) => void;
}

/** What an open page costs, run by run. */
interface PageCost {
  readonly withoutPercent: number[];
  readonly withPercent: number[];
  /** Bytes of the stream a second. */
  readonly streamBytes: number[];
}

/**
 * The status stream is read by one client, as an open page does, and not, in
 * turns: what that takes of a core, and of the rate of a dump.
 */
export async function measurePage(measure: PageMeasure): Promise<PartResult> {
  const small: Node = { replicas: 20, files: 3, fileBytes: 100e6 };
  const large: Node = {
    replicas: measure.replicas,
    files: 10_000,
    fileBytes: 20_000,
  };
  const measurements: Measurement[] = [];
  const costs: number[] = [];
  let dumpRatio = 0;
  for (const node of [small, large]) {
    const { replicas, files } = node;
    measure.progress(`page: making a log of ${files} files`);
    const { dataDir, executed, bytes } = await makeLog(measure.folder, node);
    await using kingbus = await KingbusProcess.start({
      main: measure.main,
      dataDir,
      server: {
        "connections-max": replicas + 100,
        tls: { mode: "disabled" },
      },
    });
    if (node === small) {
      const { rows, ratio } = await measureDumps(measure, kingbus, bytes);
      measurements.push(...rows);
      dumpRatio = ratio;
    }
    const name = `${replicas} replicas, ${files} files`;
    measure.progress(`page: ${name}`);
    const cost = await watch(kingbus, measure.runs, {
      server: { hostname: kingbus.hostname, port: kingbus.port },
      replicas,
      executed,
      heartbeatMs: HEARTBEAT_MS,
      tls: false,
    });
    const open = sampleOf(cost.withPercent);
    const shut = sampleOf(cost.withoutPercent);
    costs.push(open.median - shut.median);
    measurements.push(
      { name: `of a core, no page: ${name}`, unit: "%", sample: shut },
      { name: `of a core, page open: ${name}`, unit: "%", sample: open },
      {
        name: `the stream: ${name}`,
        unit: "kB/s",
        sample: sampleOf(cost.streamBytes.map((bytes) => bytes / 1e3)),
      },
    );
  }
  return {
    title: "page: the status page is open",
    measurements,
    verdicts: [
      below(
        `page open, ${small.replicas} replicas`,
        costs[0]!,
        CORE_TARGET_PERCENT,
        "% of a core",
      ),
      atLeast("dump with a page / without", dumpRatio, DUMP_TARGET),
    ],
    notes: [
      `page open, ${large.replicas} replicas and ${large.files} files: ${
        costs[1]!.toFixed(2)
      } % of a core more than without`,
      "replicas have all of the log and get a heartbeat a second, so that the status changes each time",
    ],
  };
}

async function makeLog(
  folder: string,
  { files, fileBytes }: Node,
): Promise<{ dataDir: string; executed: string; bytes: number }> {
  const dataDir = await Deno.makeTempDir({ dir: folder });
  await Deno.mkdir(`${dataDir}/data`);
  await using made = await MadeStore.open(`${dataDir}/data`);
  const { store } = made;
  for (let file = 0; file < files; file++) {
    if (fileBytes > 1e6) {
      await made.fillFile(fileBytes);
      continue;
    }
    made.startFile();
    made.append(1, fileBytes);
    await store.writer.ready();
  }
  await store.writer.flush();
  await store.setMeta(SOURCE_IDENTITY_META, { ...SOURCE });
  return {
    dataDir,
    executed: store.head?.executed.toString() ?? "",
    bytes: store.files.reduce((sum, { size }) => sum + size, 0),
  };
}

async function measureDumps(
  { runs, progress }: PageMeasure,
  kingbus: KingbusProcess,
  bytesMin: number,
): Promise<{ rows: Measurement[]; ratio: number }> {
  const input: ReaderInput = {
    server: { hostname: kingbus.hostname, port: kingbus.port },
    mode: "position",
    firstFile: "binlog.000001",
    bytesMin,
    readers: 1,
  };
  const rates = { without: [] as number[], open: [] as number[] };
  const read = async (into: number[]): Promise<void> => {
    const { bytes, seconds } = await runBenchProgram<ReaderResult>(
      "discarding_reader.ts",
      input,
    );
    into.push(bytes / 1e6 / seconds);
  };
  // What is read first is not in the page cache.
  await read([]);
  for (let run = 1; run <= runs; run++) {
    progress(`page, dump ${run} of ${runs}`);
    await read(rates.without);
    await using _page = await OpenPage.open(kingbus.adminUrl);
    await read(rates.open);
  }
  const without = sampleOf(rates.without);
  const open = sampleOf(rates.open);
  return {
    rows: [
      { name: "dump, no page", unit: "MB/s", sample: without },
      { name: "dump, page open", unit: "MB/s", sample: open },
    ],
    ratio: open.median / without.median,
  };
}

async function watch(
  kingbus: KingbusProcess,
  runs: number,
  input: IdleInput,
): Promise<PageCost> {
  const program = new URL("idle_replicas.ts", import.meta.url).pathname;
  const replicas = spawnDeno(["-A"], program, [JSON.stringify(input)]);
  try {
    const { value } = await replicas.stdout.getReader().read();
    if (value === undefined) {
      throw new BenchError("The idle replicas could not connect");
    }
    await sleep(SETTLE_MS);
    const cost: PageCost = {
      withoutPercent: [],
      withPercent: [],
      streamBytes: [],
    };
    for (let run = 0; run < runs; run++) {
      cost.withoutPercent.push(await corePercent(kingbus));
      await using page = await OpenPage.open(kingbus.adminUrl);
      // what it gets first is another matter
      await sleep(1_000);
      const before = page.bytes;
      cost.withPercent.push(await corePercent(kingbus));
      cost.streamBytes.push((page.bytes - before) / (WATCH_MS / 1000));
    }
    return cost;
  } finally {
    replicas.kill("SIGKILL");
    await replicas.status;
  }
}

async function corePercent(kingbus: KingbusProcess): Promise<number> {
  const first = await kingbus.usage();
  const start = performance.now();
  await sleep(WATCH_MS);
  const last = await kingbus.usage();
  const seconds = (performance.now() - start) / 1000;
  return 100 * (last.cpuSeconds - first.cpuSeconds) / seconds;
}

/** A client that reads the status stream and throws it away. */
class OpenPage implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #reading: Promise<void>;
  bytes = 0;

  private constructor(reader: ReadableStreamDefaultReader<Uint8Array>) {
    this.#reader = reader;
    this.#reading = this.#read();
  }

  static async open(adminUrl: string): Promise<OpenPage> {
    const response = await fetch(`${adminUrl}/status/stream`);
    if (!response.ok || response.body === null) {
      throw new BenchError(`The status stream answers ${response.status}`);
    }
    return new OpenPage(response.body.getReader());
  }

  async #read(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return;
      this.bytes += value.length;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
    await this.#reading;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
