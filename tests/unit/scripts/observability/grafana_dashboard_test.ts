import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/yaml";
import { METRICS } from "../../../../lib/metrics/metric_list.ts";
import {
  formatDashboard,
  makeDashboard,
} from "../../../../scripts/grafana_dashboard.ts";
import { unknownNames } from "../../../support/query_names.ts";

const FOLDER = new URL("../../../../scripts/observability/", import.meta.url);

/** A panel as the file has it. */
interface FilePanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: Record<"x" | "y" | "w" | "h", number>;
  readonly datasource?: unknown;
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly datasource: unknown;
  }[];
}

async function readPanels(): Promise<readonly FilePanel[]> {
  const file = new URL("grafana-dashboard.json", FOLDER);
  return JSON.parse(await Deno.readTextFile(file)).panels;
}

Deno.test("the dashboard's file is what its script writes", async () => {
  const file = new URL("grafana-dashboard.json", FOLDER);
  assertEquals(await Deno.readTextFile(file), formatDashboard());
});

Deno.test("the dashboard lets its viewer choose the data source and the instance", () => {
  const dashboard = makeDashboard();
  const variables = dashboard.templating?.list ?? [];
  assertEquals(variables.map(({ name, type }) => [name, type]), [
    ["datasource", "datasource"],
    ["instance", "query"],
  ]);
  assert(dashboard.schemaVersion >= 36);
});

Deno.test("every panel says what it shows, in which unit, of the chosen instances", async () => {
  for (const panel of await readPanels()) {
    const { type, title, targets = [] } = panel;
    if (type === "row") continue;
    assert(["stat", "timeseries", "table"].includes(type), title);
    assert((panel.description ?? "").length > 10, title);
    assert(panel.fieldConfig?.defaults.unit !== undefined, title);
    const source = { type: "prometheus", uid: "${datasource}" };
    assertEquals(panel.datasource, source, title);
    assert(targets.length > 0, title);
    assertEquals(
      new Set(targets.map(({ refId }) => refId)).size,
      targets.length,
    );
    for (const { expr, datasource } of targets) {
      assertEquals(datasource, source);
      assert(expr.includes('instance=~"$instance"'), expr);
    }
  }
});

Deno.test("panels have numbers of their own, and none lies over another", async () => {
  const panels = await readPanels();
  assertEquals(new Set(panels.map(({ id }) => id)).size, panels.length);
  const taken = new Map<string, string>();
  for (const { title, gridPos: { x, y, w, h } } of panels) {
    assert(x >= 0 && x + w <= 24, title);
    for (let row = y; row < y + h; row++) {
      for (let column = x; column < x + w; column++) {
        const other = taken.get(`${column} ${row}`);
        assertEquals(other, undefined, `${title} lies over ${other}`);
        taken.set(`${column} ${row}`, title);
      }
    }
  }
});

Deno.test("every query of the dashboard and the alerts names metrics and labels that there are", async () => {
  const rules = parse(
    await Deno.readTextFile(new URL("alerts.yml", FOLDER)),
  ) as { groups: { rules: { expr: string }[] }[] };
  const queries = [
    ...(await readPanels()).flatMap(({ targets = [] }) =>
      targets.map(({ expr }) => expr)
    ),
    ...rules.groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
  ];
  assert(queries.length > 60);
  for (const query of queries) {
    assertEquals(unknownNames(query, METRICS), [], query);
  }
});
