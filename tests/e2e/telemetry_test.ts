import { assert, assertEquals } from "@std/assert";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import { e2eTest } from "../support/e2e_test.ts";
import { type Executable, makeExecutable } from "../support/executable.ts";
import { KingbusProcess } from "../support/kingbus_process.ts";

/** Serves one request while a collector listens; answers what that was sent. */
async function collectFrom(
  executable: Executable,
  folder: string,
  enough: (paths: ReadonlySet<string>) => boolean,
): Promise<Set<string>> {
  const paths = new Set<string>();
  await using collector = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
  }, async (request) => {
    await request.bytes();
    paths.add(new URL(request.url).pathname);
    return new Response();
  });
  await Deno.writeTextFile(
    `${folder}/kingbus.yaml`,
    "server: { tls: { mode: disabled } }\n",
  );
  await using kingbus = await KingbusProcess.start(
    ["--config=kingbus.yaml"],
    executable.launch({
      cwd: folder,
      env: {
        OTEL_DENO: "true",
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.addr.port}`,
        OTEL_METRIC_EXPORT_INTERVAL: "200",
        OTEL_BSP_SCHEDULE_DELAY: "200",
      },
    }),
  );
  assertEquals((await kingbus.ask("GET", "/healthz")).status, 200);
  await waitUntil("the collector had enough", () => enough(paths));
  kingbus.signal("SIGTERM");
  // Not its end: Deno can hang while it sends the last of it.
  await kingbus.logged("stopped");
  return paths;
}

await e2eTest(
  "an executable made with --telemetry sends traces and metrics, and no other does",
  [],
  async ({ executable, folder }) => {
    // Its modules lie apart: that way has to work, too.
    const made = await makeExecutable("kingbus-telemetry", [
      "--telemetry",
      "--no-bundle",
    ]);
    if (typeof made === "string") throw new TypeError(made);
    const sent = await collectFrom(
      made,
      folder,
      (paths) => paths.has("/v1/traces") && paths.has("/v1/metrics"),
    );
    assert(sent.size >= 2);
    const begin = performance.now();
    const silent = await collectFrom(
      executable,
      folder,
      () => performance.now() - begin > 3_000,
    );
    assertEquals([...silent], []);
  },
);
