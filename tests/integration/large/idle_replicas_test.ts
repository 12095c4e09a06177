import { assert } from "@std/assert";
import { spawnDeno } from "../../../scripts/bench/bench_process.ts";
import type { IdleInput } from "../../../scripts/bench/idle_replicas.ts";
import { KingbusProcess } from "../../../scripts/bench/kingbus_process.ts";
import { startSmallSource } from "../../../scripts/bench/small_source.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";

const REPLICAS = 500;

/** A thousand may take 100 MB; what the first few cost comes on top here. */
const EXTRA_BYTES_MAX = 60e6;

/** So often all of them are sent something at about the same time. */
const HEARTBEATS = 3;

const SCRIPTS = new URL("../../../scripts/bench/", import.meta.url);
const MAIN = new URL("../../../main.ts", import.meta.url).pathname;

Deno.test(`${REPLICAS} idle replicas with heartbeats take little memory`, async () => {
  await using source = await startSmallSource();
  const dataDir = await Deno.makeTempDir({ prefix: "kingbus-test-" });
  try {
    await using kingbus = await KingbusProcess.start({ main: MAIN, dataDir });
    await kingbus.follow(source);
    await kingbus.caughtUp(source.log);
    const { residentBytes } = await kingbus.usage();
    const input: IdleInput = {
      server: { hostname: kingbus.hostname, port: kingbus.port },
      replicas: REPLICAS,
      executed: source.executed,
      heartbeatMs: 500,
      tls: false,
    };
    const program = new URL("idle_replicas.ts", SCRIPTS).pathname;
    const replicas = spawnDeno(["-A"], program, [JSON.stringify(input)]);
    let ended = false;
    void replicas.status.then(() => ended = true);
    const output = replicas.stdout.getReader();
    try {
      assert((await output.read()).value !== undefined, "none could connect");
      const start = performance.now();
      await waitUntil("heartbeats had been sent", () => {
        assert(!ended, "a replica was disconnected");
        return performance.now() - start > HEARTBEATS * input.heartbeatMs;
      });
      const { peakBytes } = await kingbus.usage();
      const extra = peakBytes - residentBytes;
      assert(extra < EXTRA_BYTES_MAX, `${extra} bytes`);
    } finally {
      replicas.kill("SIGKILL");
      await replicas.status;
      await output.cancel();
    }
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
