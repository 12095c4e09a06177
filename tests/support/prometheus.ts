import { stringify } from "@std/yaml";
import { freePort } from "../../scripts/test_servers/free_port.ts";
import { ProcessWatchdog } from "../../scripts/test_servers/process_watchdog.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";

/** A sample of a query's answer. */
export interface QuerySample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** How a target stands. */
export interface TargetState {
  readonly health: string;
  readonly lastError: string;
}

/** A rule, as Prometheus has evaluated it. */
export interface RuleState {
  readonly name: string;
  readonly state: string;
  readonly health: string;
  readonly lastError?: string;
}

const DEADLINE_MS = 60_000;

/** A Prometheus of a test's own, on a free port of 127.0.0.1. */
export class Prometheus implements AsyncDisposable {
  readonly #url: string;
  readonly #folder: string;
  readonly #child: Deno.ChildProcess;
  readonly #watchdog: ProcessWatchdog;

  private constructor(url: string, folder: string, child: Deno.ChildProcess) {
    this.#url = url;
    this.#folder = folder;
    this.#child = child;
    this.#watchdog = new ProcessWatchdog(child.pid, folder);
  }

  /**
   * Starts one.
   *
   * @param config its configuration, with absolute paths
   */
  static async start(config: unknown): Promise<Prometheus> {
    const folder = await Deno.makeTempDir({ prefix: "kingbus-prometheus-" });
    const file = `${folder}/prometheus.yml`;
    await Deno.writeTextFile(file, stringify(config as object));
    const address = `127.0.0.1:${freePort()}`;
    const child = new Deno.Command("prometheus", {
      args: [
        `--config.file=${file}`,
        `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=${address}`,
        "--log.level=error",
      ],
      stdout: "null",
      stderr: "null",
    }).spawn();
    const prometheus = new Prometheus(`http://${address}`, folder, child);
    try {
      await waitUntil(
        "Prometheus was ready",
        () => prometheus.#isReady(),
        { deadlineMs: DEADLINE_MS, intervalMs: 100 },
      );
    } catch (error) {
      await prometheus[Symbol.asyncDispose]();
      throw error;
    }
    return prometheus;
  }

  /**
   * Evaluates a query now.
   *
   * @throws {TypeError} when Prometheus does not take it
   */
  async query(expr: string): Promise<QuerySample[]> {
    const path = `query?query=${encodeURIComponent(expr)}`;
    const { result } = await this.#ask<{
      result: { metric: Record<string, string>; value: [number, string] }[];
    }>(path);
    return result.map(({ metric, value }) => ({
      metric,
      value: Number(value[1]),
    }));
  }

  /** The targets it scrapes. */
  async targets(): Promise<readonly TargetState[]> {
    const { activeTargets } = await this.#ask<{
      activeTargets: TargetState[];
    }>("targets");
    return activeTargets;
  }

  /** The alert rules it has loaded. */
  async rules(): Promise<readonly RuleState[]> {
    const { groups } = await this.#ask<{ groups: { rules: RuleState[] }[] }>(
      "rules",
    );
    return groups.flatMap(({ rules }) => rules);
  }

  /** Ends it at once: nobody needs what it has. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#watchdog.dismiss();
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #isReady(): Promise<boolean> {
    try {
      const answer = await fetch(`${this.#url}/-/ready`);
      await answer.body?.cancel();
      return answer.ok;
    } catch {
      return false;
    }
  }

  async #ask<Data>(path: string): Promise<Data> {
    const answer = await fetch(`${this.#url}/api/v1/${path}`);
    const { status, error, data } = await answer.json();
    if (status !== "success") throw new TypeError(`${path}: ${error}`);
    return data;
  }
}
