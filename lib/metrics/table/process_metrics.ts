import type { Metric } from "../metric.ts";

/** What the process takes of the machine, under the usual names where there are. */
export const PROCESS_METRICS: readonly Metric[] = [
  {
    name: "process_cpu_seconds_total",
    type: "counter",
    subject: "process",
    help: "Processor time the process has taken, in seconds.",
    read: ({ process }) => process.userCpuSeconds + process.systemCpuSeconds,
  },
  {
    name: "process_cpu_user_seconds_total",
    type: "counter",
    subject: "process",
    help: "Of process_cpu_seconds_total, its own code's part.",
    read: ({ process }) => process.userCpuSeconds,
  },
  {
    name: "process_cpu_system_seconds_total",
    type: "counter",
    subject: "process",
    help: "Of process_cpu_seconds_total, the operating system's part.",
    read: ({ process }) => process.systemCpuSeconds,
  },
  {
    name: "process_resident_memory_bytes",
    type: "gauge",
    subject: "process",
    help: "Memory the process has in RAM.",
    read: ({ process }) => process.residentBytes,
  },
  {
    name: "process_start_time_seconds",
    type: "gauge",
    subject: "process",
    help: "When the process was started, in Unix seconds.",
    read: ({ process }) => process.startedAt,
  },
  {
    name: "kingbus_heap_used_bytes",
    type: "gauge",
    subject: "process",
    help: "JavaScript's heap, what is in use of it.",
    read: ({ process }) => process.heapBytes,
  },
  {
    name: "kingbus_external_memory_bytes",
    type: "gauge",
    subject: "process",
    help: "Buffers outside of JavaScript's heap.",
    read: ({ process }) => process.externalBytes,
  },
  {
    name: "kingbus_event_loop_delay_seconds",
    type: "histogram",
    subject: "process",
    help:
      "How late a timer was that is due twice a second: what everything had to wait for something else.",
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
  },
];
