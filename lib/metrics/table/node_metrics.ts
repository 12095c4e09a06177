import type { Metric } from "../metric.ts";
import { samplesOf } from "../metric.ts";

/** Who the node is, and whether it does what it should. */
export const NODE_METRICS: readonly Metric[] = [
  {
    name: "kingbus_build_info",
    type: "gauge",
    subject: "node",
    help: "Always 1; its labels say what runs.",
    labels: [
      { name: "version", values: "version of kingbus" },
      { name: "deno", values: "version of Deno" },
      { name: "target", values: "machine it was built for" },
      { name: "name", values: "name of the node" },
    ],
    read: ({ node }) => [{
      value: 1,
      labels: {
        version: node.version,
        deno: Deno.version.deno,
        target: Deno.build.target,
        name: node.name,
      },
    }],
  },
  {
    name: "kingbus_ready",
    type: "gauge",
    subject: "node",
    help:
      "1 while a part does what it is meant to do, as /readyz has it; a part stopped on purpose is ready.",
    labels: [{ name: "part", values: "`node`, `syncer`, `server`" }],
    read: ({ checks }) =>
      checks.map(({ part, ready }) => ({
        value: Number(ready),
        labels: { part },
      })),
  },
  {
    name: "kingbus_log_lines_total",
    type: "counter",
    subject: "node",
    help: "Lines written to kingbus's own log.",
    labels: [{ name: "level", values: "`debug`, `info`, `warn`, `error`" }],
    read: ({ logLines }) => samplesOf("level", logLines),
  },
];
