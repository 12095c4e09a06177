import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/yaml";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { DumpClient } from "../../support/dump_client.ts";
import { programTest } from "../../support/program_test.ts";
import { Prometheus } from "../../support/prometheus.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { executedOf } from "../../support/sql_server.ts";
import { TestApp } from "../../support/test_app.ts";

const source = new SharedSource56();

const FOLDER = new URL("../../../scripts/observability/", import.meta.url);
const REPLICA_UUID = "22222222-71ca-11e1-9e33-c80aa9429562";
const TOKEN = "a-token-for-those-who-only-read-1";

/** What a dashboard's query has in the place of these, for a test. */
const RANGE = "20s";

/** The configuration of scripts/observability, for a test's kingbus. */
async function configFor(target: string, tokenFile: string): Promise<unknown> {
  const config = parse(
    await Deno.readTextFile(new URL("prometheus.yml", FOLDER)),
  ) as {
    global: unknown;
    rule_files: string[];
    scrape_configs: {
      authorization: { credentials_file: string };
      static_configs: { targets: string[] }[];
    }[];
  };
  const [job] = config.scrape_configs;
  assertEquals(config.scrape_configs.length, 1);
  job!.authorization.credentials_file = tokenFile;
  job!.static_configs[0]!.targets = [target];
  return {
    ...config,
    global: { scrape_interval: "1s", evaluation_interval: "1s" },
    rule_files: config.rule_files.map((file) => new URL(file, FOLDER).pathname),
  };
}

async function promtool(
  args: readonly string[],
  input = "",
): Promise<{ success: boolean; output: string }> {
  const child = new Deno.Command("promtool", {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { success, output: text(stdout) + text(stderr) };
}

/** A kingbus with a replica, limits, a token and something of everything. */
class WatchedNode implements AsyncDisposable {
  readonly tokenFile: string;
  readonly test: TestApp;
  readonly #replica: DumpClient;
  readonly #folder: string;

  private constructor(folder: string, test: TestApp, replica: DumpClient) {
    this.#folder = folder;
    this.tokenFile = `${folder}/token`;
    this.test = test;
    this.#replica = replica;
  }

  static async start(): Promise<WatchedNode> {
    const folder = await Deno.makeTempDir({ prefix: "kingbus-token-" });
    await Deno.writeTextFile(`${folder}/token`, `${TOKEN}\n`, { mode: 0o600 });
    await source.run("CREATE TABLE test.t (id SERIAL)");
    const test = await TestApp.following(
      source,
      `retention: { size: 10GiB, replicas: [{ uuid: ${REPLICA_UUID}, name: reports }] }`,
      `, read-token-file: ${folder}/token`,
    );
    await test.waitUntilHas(await executedOf(source.server));
    const replica = await DumpClient.open(test, {
      flags: 0,
      serverId: 42,
      uuid: REPLICA_UUID,
      executed: "",
    });
    await replica.next();
    return new WatchedNode(folder, test, replica);
  }

  /** Scrapes it as somebody with the token. */
  async scrape(accept: string): Promise<Response> {
    return await fetch(`${this.test.adminUrl}/metrics`, {
      headers: { accept, authorization: `Bearer ${TOKEN}` },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#replica[Symbol.asyncDispose]();
    await this.test[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** Queries of the dashboard, as a panel would ask them. */
async function dashboardQueries(): Promise<string[]> {
  const { panels } = JSON.parse(
    await Deno.readTextFile(new URL("grafana-dashboard.json", FOLDER)),
  ) as { panels: { targets?: { expr: string }[] }[] };
  return panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
    .map((expr) =>
      expr.replaceAll("$__rate_interval", RANGE).replaceAll("$instance", ".+")
        .replaceAll(/\[(?:5m|6h)\]/g, `[${RANGE}]`)
    );
}

await programTest(
  "promtool finds nothing to say about a real scrape",
  ["promtool"],
  async () => {
    await using node = await WatchedNode.start();
    const refused = await fetch(`${node.test.adminUrl}/metrics`);
    assertEquals(refused.status, 401);
    await refused.body?.cancel();
    const answer = await node.scrape("*/*");
    assertEquals(
      answer.headers.get("content-type"),
      "text/plain; version=0.0.4; charset=utf-8",
    );
    const text = await answer.text();
    assert(text.includes('kingbus_replica_lag_seconds{replica="reports"}'));
    const { success, output } = await promtool(["check", "metrics"], text);
    assertEquals([success, output], [true, ""]);
  },
);

await programTest(
  "promtool takes the example configuration, once its token is there",
  ["promtool"],
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "kingbus-promtool-" });
    try {
      await Deno.writeTextFile(`${folder}/kingbus.token`, TOKEN);
      await Deno.copyFile(
        new URL("alerts.yml", FOLDER),
        `${folder}/alerts.yml`,
      );
      const example = await Deno.readTextFile(
        new URL("prometheus.yml", FOLDER),
      );
      const file = `${folder}/prometheus.yml`;
      await Deno.writeTextFile(
        file,
        example.replace(
          "/etc/prometheus/kingbus.token",
          `${folder}/kingbus.token`,
        ),
      );
      const { success, output } = await promtool(["check", "config", file]);
      assert(success, output);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

await programTest(
  "a Prometheus with the token scrapes kingbus, answers all queries of the dashboard, and has no reason for an alert",
  ["prometheus"],
  async () => {
    await using node = await WatchedNode.start();
    const { hostname, port } = node.test.app.adminListen;
    const config = await configFor(`${hostname}:${port}`, node.tokenFile);
    await using prometheus = await Prometheus.start(config);
    await waitUntil(
      "two scrapes were made",
      async () => {
        const scrapes = await prometheus.query(
          `count_over_time(up{job="kingbus"}[1m])`,
        );
        return (scrapes[0]?.value ?? 0) >= 3;
      },
      { deadlineMs: 60_000, intervalMs: 200 },
    );
    const targets = await prometheus.targets();
    assertEquals(targets.map(({ health, lastError }) => [health, lastError]), [
      ["up", ""],
    ]);
    // Commits to measure, and something to send.
    await source.run("INSERT INTO test.t VALUES (1)");
    await node.test.waitUntilHas(await executedOf(source.server));
    for (const query of await dashboardQueries()) {
      // What asks for faults has nothing to show here.
      const all = query.replace(/ > 0$/, "");
      await waitUntil(`there was something to show for ${all}`, async () => {
        return (await prometheus.query(all)).length > 0;
      }, { deadlineMs: 60_000, intervalMs: 200 });
    }
    const rules = await waitUntil(
      "all rules were evaluated",
      async () => {
        const all = await prometheus.rules();
        return all.every(({ health }) => health === "ok") && all;
      },
      { deadlineMs: 60_000, intervalMs: 200 },
    );
    assert(rules.length >= 26);
    assertEquals(rules.filter(({ state }) => state === "firing"), []);
    await waitUntil("it had the log's size", async () => {
      const [bytes] = await prometheus.query("kingbus_binlog_bytes");
      return bytes?.value === node.test.bytes;
    }, { deadlineMs: 60_000, intervalMs: 200 });
  },
);

await programTest(
  "a Prometheus with a wrong token sees that it is refused",
  ["prometheus"],
  async () => {
    await using node = await WatchedNode.start();
    const { hostname, port } = node.test.app.adminListen;
    const wrong = await Deno.makeTempFile();
    try {
      await Deno.writeTextFile(wrong, "another-token");
      const config = await configFor(`${hostname}:${port}`, wrong);
      await using prometheus = await Prometheus.start(config);
      const target = await waitUntil(
        "it was refused",
        async () => {
          const [one] = await prometheus.targets();
          return one?.health === "down" && one;
        },
        { deadlineMs: 60_000, intervalMs: 200 },
      );
      assert(target.lastError.includes("401"), target.lastError);
      const up = await prometheus.query(`up{job="kingbus"}`);
      assertEquals(up.map(({ value }) => value), [0]);
    } finally {
      await Deno.remove(wrong);
    }
  },
);
