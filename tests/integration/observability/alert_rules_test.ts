import { assert, assertEquals } from "@std/assert";
import { parse, stringify } from "@std/yaml";
import { programTest } from "../../support/program_test.ts";
import { ALERT_CASES, type AlertCase } from "./alert_cases.ts";

const RULES = new URL(
  "../../../scripts/observability/alerts.yml",
  import.meta.url,
).pathname;

/** A rule of the file. */
interface AlertRule {
  readonly alert: string;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
}

async function readRules(): Promise<Map<string, AlertRule>> {
  const { groups } = parse(await Deno.readTextFile(RULES)) as {
    groups: { rules: AlertRule[] }[];
  };
  const rules = groups.flatMap(({ rules }) => rules);
  return new Map(rules.map((rule) => [rule.alert, rule]));
}

const TARGET = { job: "kingbus", instance: "127.0.0.1:9595" };

/** `name{a="b"}` with the labels of the target. */
function onTarget(series: string): string {
  const target = `job="${TARGET.job}",instance="${TARGET.instance}"`;
  return series.endsWith("}")
    ? `${series.slice(0, -1)},${target}}`
    : `${series}{${target}}`;
}

function inputOf(series: Readonly<Record<string, string>>): unknown[] {
  return Object.entries(series).map(([name, values]) => ({
    series: onTarget(name),
    values,
  }));
}

/** What Prometheus makes of an annotation. */
function render(text: string, { labels, value }: AlertCase): string {
  const all: Record<string, string> = { ...TARGET, ...labels };
  return text.replaceAll(
    /\{\{ \$labels\.(\w+) \}\}/g,
    (_, name: string) => all[name] ?? "",
  ).replaceAll(/\{\{ \$value[^}]*\}\}/g, value ?? "(value)");
}

/** The unit test of a rule, as promtool has it. */
function unitTest(one: AlertCase, rule: AlertRule): unknown {
  const annotations = Object.fromEntries(
    Object.entries(rule.annotations).map((
      [name, text],
    ) => [name, render(text, one)]),
  );
  const fires = {
    exp_labels: { ...TARGET, ...rule.labels, ...one.labels },
    exp_annotations: annotations,
  };
  const { alert } = one;
  return {
    rule_files: [RULES],
    evaluation_interval: "1m",
    tests: [{
      interval: "1m",
      input_series: inputOf(one.bad),
      alert_rule_test: [
        ...one.notYetAt === undefined ? [] : [
          { eval_time: `${one.notYetAt}m`, alertname: alert, exp_alerts: [] },
        ],
        {
          eval_time: `${one.firesAt}m`,
          alertname: alert,
          exp_alerts: [fires],
        },
      ],
    }, {
      interval: "1m",
      input_series: inputOf(one.good),
      alert_rule_test: [1, 10, 20, 30, 40, 50, 60].map((minute) => ({
        eval_time: `${minute}m`,
        alertname: alert,
        exp_alerts: [],
      })),
    }],
  };
}

async function promtool(
  ...args: string[]
): Promise<{ success: boolean; output: string }> {
  const { success, stdout, stderr } = await new Deno.Command("promtool", {
    args,
  }).output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { success, output: text(stdout) + text(stderr) };
}

Deno.test("every alert has a test, and every test an alert", async () => {
  const rules = await readRules();
  assertEquals(
    ALERT_CASES.map(({ alert }) => alert).sort(),
    [...rules.keys()].sort(),
  );
});

Deno.test("every alert says what is wrong, and where it is said what to do", async () => {
  const docs = await Deno.readTextFile(
    new URL("../../../docs/metrics.md", import.meta.url),
  );
  for (const [alert, { labels, annotations }] of await readRules()) {
    assertEquals(
      Object.keys(annotations).sort(),
      ["description", "runbook", "summary"],
      alert,
    );
    assert(["warning", "critical"].includes(labels.severity ?? ""), alert);
    assertEquals(
      annotations.runbook,
      `docs/metrics.md#${alert.toLowerCase()}`,
    );
    assert(docs.includes(`\n### ${alert}\n`), `no section on ${alert}`);
  }
});

await programTest("promtool takes the alert rules", ["promtool"], async () => {
  const { success, output } = await promtool("check", "rules", RULES);
  assert(success, output);
});

for (const one of ALERT_CASES) {
  await programTest(
    `${one.alert} fires when it should, and not otherwise`,
    ["promtool"],
    async () => {
      const rule = (await readRules()).get(one.alert);
      assert(rule !== undefined, `no rule ${one.alert}`);
      const file = await Deno.makeTempFile({ suffix: ".yml" });
      try {
        await Deno.writeTextFile(
          file,
          stringify(JSON.parse(JSON.stringify(unitTest(one, rule)))),
        );
        const { success, output } = await promtool("test", "rules", file);
        assert(success, output);
      } finally {
        await Deno.remove(file);
      }
    },
  );
}
