// @ts-check
/// <reference lib="dom" />
import { Chart } from "./chart.js";
import { byId } from "./dom.js";
import { formatLag, formatRate } from "./format.js";

/** @import { LiveHistory, LiveSample } from "../live/live_sample.ts" */

/** How far the charts reach back. */
const HISTORY_MS = 600_000;

/** The last ten minutes as charts. */
export class ChartsView {
  #charts = makeCharts();
  /** @type {LiveSample[]} */
  #samples = [];
  #intervalMs = 1000;
  #isNew = false;

  constructor() {
    const place = byId("charts", HTMLElement);
    for (const { chart } of this.#charts) chart.open(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener(
      "change",
      () => {
        for (const { chart } of this.#charts) chart.recolour();
      },
    );
  }

  /**
   * Takes what has been so far.
   *
   * @param {LiveHistory} history
   */
  begin({ interval_ms, samples }) {
    this.#intervalMs = interval_ms;
    this.#samples = [...samples];
    this.#isNew = true;
  }

  /**
   * Takes one more.
   *
   * @param {LiveSample} sample
   */
  add(sample) {
    this.#samples.push(sample);
    const oldest = Date.parse(sample.at) - HISTORY_MS;
    const kept = this.#samples.findIndex(({ at }) => Date.parse(at) >= oldest);
    if (kept > 0) this.#samples.splice(0, kept);
    this.#isNew = true;
  }

  /** Shows all it has; where some are missing there is a gap. */
  show() {
    if (!this.#isNew) return;
    this.#isNew = false;
    /** @type {(LiveSample | undefined)[]} */
    const points = [];
    /** @type {number[]} */
    const times = [];
    let last = NaN;
    for (const sample of this.#samples) {
      const time = Date.parse(sample.at) / 1000;
      // The clock was set back: charts go one way.
      if (time <= last) continue;
      if (time - last > 4 * this.#intervalMs / 1000) {
        times.push((time + last) / 2);
        points.push(undefined);
      }
      times.push(time);
      points.push(sample);
      last = time;
    }
    for (const { keys, chart } of this.#charts) {
      chart.show(
        times,
        keys.map((key) => points.map((point) => numberOf(point?.[key]))),
      );
    }
  }
}

/**
 * @param {unknown} value
 * @returns {number | null}
 */
function numberOf(value) {
  return typeof value === "number" ? value : null;
}

/** @returns {{ keys: (keyof LiveSample)[], chart: Chart }[]} */
function makeCharts() {
  return [
    {
      keys: ["ingest_bytes_per_second"],
      chart: new Chart({
        id: "ingest",
        title: "From the source",
        lines: ["bytes a second"],
        format: formatRate,
        floor: 1024,
        steps: "binary",
      }),
    },
    {
      keys: ["sent_bytes_per_second"],
      chart: new Chart({
        id: "sent",
        title: "To replicas",
        lines: ["bytes a second"],
        format: formatRate,
        floor: 1024,
        steps: "binary",
      }),
    },
    {
      keys: ["lag_seconds", "replica_lag_seconds"],
      chart: new Chart({
        id: "lag",
        title: "Lag",
        lines: ["kingbus", "last replica"],
        format: formatLag,
        floor: 1,
        steps: "seconds",
      }),
    },
  ];
}
