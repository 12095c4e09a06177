/**
 * Writes scripts/observability/grafana-dashboard.json:
 * `deno run -A scripts/grafana_dashboard.ts`. A test compares the two.
 *
 * @module
 */
import type {
  Dashboard,
  DataSourceRef,
  FieldConfigSource,
  Panel,
  RowPanel,
  VariableModel,
} from "@grafana/schema";
import {
  DASHBOARD_ROWS,
  type DashboardPanel,
  type Threshold,
} from "./dashboard/dashboard_rows.ts";

/** Columns of Grafana's grid. */
const GRID_COLUMNS = 24;
const STAT_HEIGHT = 4;
const GRAPH_HEIGHT = 8;

/** The one that whoever looks chooses. */
const DATA_SOURCE: DataSourceRef = {
  type: "prometheus",
  uid: "${datasource}",
};

const VARIABLES: VariableModel[] = [
  {
    name: "datasource",
    label: "Data source",
    type: "datasource",
    query: "prometheus",
  },
  {
    name: "instance",
    label: "Instance",
    type: "query",
    datasource: DATA_SOURCE,
    query: {
      query: "label_values(kingbus_build_info, instance)",
      refId: "instances",
    },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    current: { text: "All", value: "$__all" },
  },
];

const STARTS =
  'changes(process_start_time_seconds{job="kingbus",instance=~"$instance"}[2m]) > 0';

/** The dashboard, for Grafana to import. */
export function makeDashboard(): Dashboard {
  const panels: (Panel | RowPanel)[] = [];
  let y = 0;
  let id = 1;
  for (const { title, panels: inRow } of DASHBOARD_ROWS) {
    panels.push({
      id: id++,
      type: "row",
      title,
      collapsed: false,
      gridPos: { x: 0, y: y++, w: GRID_COLUMNS, h: 1 },
      panels: [],
    });
    let x = 0;
    let height = 0;
    for (const panel of inRow) {
      if (x + panel.width > GRID_COLUMNS) {
        x = 0;
        y += height;
        height = 0;
      }
      const h = panel.type === "stat" ? STAT_HEIGHT : GRAPH_HEIGHT;
      panels.push({
        ...formatPanel(panel),
        id: id++,
        gridPos: { x, y, w: panel.width, h },
      });
      x += panel.width;
      height = Math.max(height, h);
    }
    y += height;
  }
  return {
    title: "kingbus",
    uid: "kingbus",
    description:
      "Is it following, is it behind, is it durable, who lags, who is refused, and is there space?",
    tags: ["kingbus", "mysql", "replication"],
    schemaVersion: 42,
    editable: true,
    graphTooltip: 1,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    timezone: "browser",
    links: [],
    annotations: {
      list: [{
        name: "Starts of kingbus",
        datasource: DATA_SOURCE,
        enable: true,
        iconColor: "blue",
        // What Prometheus's annotations have besides.
        ...{ expr: STARTS, titleFormat: "{{instance}} was started" },
      }],
    },
    templating: { list: VARIABLES },
    panels,
  };
}

function formatPanel(panel: DashboardPanel): Panel {
  return {
    type: panel.type,
    title: panel.title,
    description: panel.description,
    datasource: DATA_SOURCE,
    targets: panel.queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + index),
      datasource: DATA_SOURCE,
      expr,
      legendFormat: legend,
      ...panel.type === "table"
        ? { format: "table", instant: true }
        : panel.type === "stat"
        ? { instant: true }
        : { range: true },
    })),
    fieldConfig: fieldsOf(panel),
    options: optionsOf(panel),
    ...panel.type === "table"
      ? {
        transformations: [{
          id: "merge",
          options: {},
        }, {
          id: "organize",
          options: {
            excludeByName: { Time: true, job: true, __name__: true },
            renameByName: panel.columns ?? {},
          },
        }],
      }
      : {},
  };
}

function fieldsOf(panel: DashboardPanel): FieldConfigSource {
  return {
    defaults: {
      unit: panel.unit,
      ...panel.min === undefined ? {} : { min: panel.min },
      ...panel.mappings === undefined ? {} : {
        mappings: [{
          // What `MappingType.ValueToText` is.
          type: "value" as never,
          options: Object.fromEntries(
            Object.entries(panel.mappings).map(([value, [text, color]]) => [
              value,
              { text, color },
            ]),
          ),
        }],
      },
      thresholds: {
        // What `ThresholdsMode.Absolute` is.
        mode: "absolute" as never,
        steps: stepsOf(panel.thresholds ?? []),
      },
      custom: panel.type === "timeseries"
        ? {
          fillOpacity: panel.stacked === true ? 30 : 10,
          lineWidth: 1,
          showPoints: "never",
          ...panel.stacked === true
            ? { stacking: { mode: "normal", group: "A" } }
            : {},
          ...panel.thresholds === undefined
            ? {}
            : { thresholdsStyle: { mode: "dashed" } },
        }
        : {},
    },
    overrides: Object.entries(panel.columnUnits ?? {}).map((
      [column, unit],
    ) => ({
      matcher: { id: "byName", options: column },
      properties: [{ id: "unit", value: unit }],
    })),
  };
}

function stepsOf(
  thresholds: readonly Threshold[],
): { value: number | null; color: string }[] {
  return [{ value: null, color: "green" }, ...thresholds];
}

function optionsOf({ type }: DashboardPanel): Record<string, unknown> {
  switch (type) {
    case "stat":
      return {
        colorMode: "background",
        graphMode: "none",
        textMode: "auto",
        reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
      };
    case "timeseries":
      return {
        legend: { displayMode: "list", placement: "bottom", calcs: [] },
        tooltip: { mode: "multi", sort: "desc" },
      };
    case "table":
      return { showHeader: true, cellHeight: "sm" };
  }
}

/** The file's text. */
export function formatDashboard(): string {
  return `${JSON.stringify(makeDashboard(), null, 2)}\n`;
}

if (import.meta.main) {
  await Deno.writeTextFile(
    new URL("observability/grafana-dashboard.json", import.meta.url),
    formatDashboard(),
  );
}
