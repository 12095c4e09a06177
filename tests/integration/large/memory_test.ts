import { assert, assertEquals } from "@std/assert";
import { runBenchProgram } from "../../../scripts/bench/bench_process.ts";
import type { SourceLog } from "../../../scripts/bench/bench_source.ts";
import type {
  ReaderInput,
  ReaderResult,
} from "../../../scripts/bench/discarding_reader.ts";
import { KingbusProcess } from "../../../scripts/bench/kingbus_process.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { insertValue } from "../../support/large_rows.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { binlogsOf } from "../../support/sql_server.ts";

/**
 * Size of the event. Up to 1073, which is the most there can be: then it takes
 * a minute, and 3 GB of disk.
 */
const MEGABYTES = Number(Deno.env.get("KINGBUS_LARGE_MEGABYTES") ?? 100);

/** More memory than this no reader may cost, nor taking the event in. */
const EXTRA_BYTES_MAX = 64 * 1024 * 1024;

const sources = new SharedMysql97(9763, [
  "--max-allowed-packet=1G",
  "--max-binlog-size=1G",
]);

const MAIN = new URL("../../../main.ts", import.meta.url).pathname;

/** How much more memory a process had meanwhile than it has now. */
async function extraBytes(
  kingbus: KingbusProcess,
  work: () => Promise<void>,
): Promise<number> {
  const { residentBytes } = await kingbus.usage();
  await kingbus.resetPeak();
  await work();
  return (await kingbus.usage()).peakBytes - residentBytes;
}

await rigTest(
  `an event of ${MEGABYTES} MB passes through kingbus in little memory`,
  ["mysql97"],
  async (_rig, context) => {
    const source = await sources.asSource();
    // What the first event fills of kingbus's caches is no matter of the second.
    await source.run(
      "CREATE TABLE test.large (id INT AUTO_INCREMENT PRIMARY KEY, data LONGBLOB) ENGINE = BLACKHOLE",
      insertValue(100e6),
      "FLUSH LOGS",
      insertValue(MEGABYTES * 1e6 - 100),
      insertValue(10),
    );
    const [warmUp, log] = (await binlogsOf(source)).map((
      { name, size },
    ): SourceLog => ({
      firstFile: name,
      lastFile: name,
      lastPosition: size,
      bytes: size,
      transactions: 2,
    }));
    assert(warmUp !== undefined && log !== undefined);
    assert(log.bytes > MEGABYTES * 1e6);
    const dataDir = await Deno.makeTempDir({ prefix: "kingbus-test-" });
    try {
      {
        await using kingbus = await KingbusProcess.start({
          main: MAIN,
          dataDir,
        });
        await kingbus.follow({ hostname: "127.0.0.1", port: source.port });
        await kingbus.caughtUp(warmUp);
        const extra = await extraBytes(kingbus, () => kingbus.caughtUp(log));
        assert(extra < EXTRA_BYTES_MAX, `${extra} bytes to take it in`);
        await kingbus.stopFollowing();
      }
      for (const readers of [1, 4]) {
        await context.step(`out to ${readers}`, async () => {
          await using kingbus = await KingbusProcess.start({
            main: MAIN,
            dataDir,
          });
          const extra = await extraBytes(kingbus, async () => {
            const input: ReaderInput = {
              server: { hostname: "127.0.0.1", port: kingbus.port },
              mode: "position",
              firstFile: log.firstFile,
              bytesMin: log.bytes,
              readers,
            };
            const { bytes } = await runBenchProgram<ReaderResult>(
              "discarding_reader.ts",
              input,
            );
            assertEquals(bytes % readers, 0);
            assert(bytes >= readers * log.bytes);
          });
          assert(extra < readers * EXTRA_BYTES_MAX, `${extra} bytes`);
        });
      }
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  },
);
