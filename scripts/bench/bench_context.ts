import type { BenchSource, LogServer, SourceLog } from "./bench_source.ts";
import { KingbusProcess } from "./kingbus_process.ts";
import type { TransferRun } from "./measurement.ts";
import { runBenchProgram } from "./bench_process.ts";
import type { ReaderInput, ReaderResult } from "./discarding_reader.ts";

/** What all measurements work with. */
export class BenchContext {
  readonly source: BenchSource;
  /** The source's log, which stays as it is while it is measured with. */
  readonly log: SourceLog;
  readonly runs: number;
  /** Entry point of kingbus. */
  readonly main: string;
  /** Folder for everything written; removed at the end. */
  readonly folder: string;
  /** Tells people what is going on. */
  readonly progress: (what: string) => void;
  #filled: string | undefined;

  constructor(
    parts: Pick<
      BenchContext,
      "source" | "log" | "runs" | "main" | "folder" | "progress"
    >,
  ) {
    this.source = parts.source;
    this.log = parts.log;
    this.runs = parts.runs;
    this.main = parts.main;
    this.folder = parts.folder;
    this.progress = parts.progress;
  }

  /** Starts kingbus with an empty store. */
  async startEmpty(): Promise<{ kingbus: KingbusProcess; dataDir: string }> {
    const dataDir = await Deno.makeTempDir({ dir: this.folder });
    const { main } = this;
    const kingbus = await KingbusProcess.start({ main, dataDir });
    return { kingbus, dataDir };
  }

  /**
   * Starts kingbus with all of the log in its store, following the source.
   *
   * @param server more of its configuration's section `server`
   */
  async startFilled(
    server: Readonly<Record<string, unknown>> = {},
  ): Promise<KingbusProcess> {
    const kingbus = await KingbusProcess.start({
      main: this.main,
      dataDir: await this.#fill(),
      server,
    });
    await kingbus.caughtUp(this.log);
    return kingbus;
  }

  /**
   * The `data-dir` of a store with all of the log, which no process has open
   * unless a part of the benchmark has started one.
   */
  async filledDataDir(): Promise<string> {
    return `${await this.#fill()}/data`;
  }

  /** Answers the folder of a kingbus that has all of the log. */
  async #fill(): Promise<string> {
    if (this.#filled === undefined) {
      this.progress("kingbus catches up with the source");
      const { kingbus, dataDir } = await this.startEmpty();
      await using _ = kingbus;
      await kingbus.follow(this.source);
      await kingbus.caughtUp(this.log);
      this.#filled = dataDir;
    }
    return this.#filled;
  }

  /** Keeps a filled store for those who need one. */
  async keepFilled(dataDir: string): Promise<void> {
    if (this.#filled === undefined) this.#filled = dataDir;
    else await Deno.remove(dataDir, { recursive: true });
  }

  /** Pulls the whole log from a server and throws it away. */
  async read(
    server: LogServer,
    mode: "position" | "gtid",
    { readers = 1, compression, tls = false }: Partial<
      Pick<ReaderInput, "readers" | "compression" | "tls">
    > = {},
  ): Promise<TransferRun> {
    const input: ReaderInput = {
      server: { hostname: server.hostname, port: server.port },
      mode,
      firstFile: this.log.firstFile,
      bytesMin: this.log.bytes,
      readers,
      compression,
      tls,
    };
    const kingbus = server instanceof KingbusProcess ? server : undefined;
    const before = await kingbus?.usage();
    const { bytes, seconds, cpuSeconds } = await runBenchProgram<ReaderResult>(
      "discarding_reader.ts",
      input,
      // Certificates made by servers for themselves.
      tls ? ["-A", "--unsafely-ignore-certificate-errors"] : ["-A"],
    );
    const after = await kingbus?.usage();
    return {
      bytes,
      seconds,
      cpuSeconds: {
        reader: cpuSeconds,
        ...(before && after
          ? { kingbus: after.cpuSeconds - before.cpuSeconds }
          : {}),
      },
    };
  }
}
