// @ts-check
/// <reference lib="dom" />
import { Chart } from "./chart.js";
import { byId } from "./dom.js";
import { formatLag, formatRate } from "./format.js";

/** @import { PageSample } from "./page_status.ts" */

/** How far the charts reach back. */
const HISTORY_MS = 600_000;

/** The last ten minutes as charts. */
export class ChartsView {
  #charts = makeCharts();
  /** @type {PageSample[]} */
  #samples = [];
  #intervalMs = 1000;

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
   * @param {{ interval_ms: number, samples: readonly PageSample[] }} history
   */
  begin({ interval_ms, samples }) {
    this.#intervalMs = interval_ms;
    this.#samples = [...samples];
  }

  /**
   * Takes one more.
   *
   * @param {PageSample} sample
   */
  add(sample) {
    this.#samples.push(sample);
    const oldest = Date.parse(sample.at) - HISTORY_MS;
    const kept = this.#samples.findIndex(({ at }) => Date.parse(at) >= oldest);
    if (kept > 0) this.#samples.splice(0, kept);
  }

  /** Shows all it has; where some are missing there is a gap. */
  show() {
    /** @type {(PageSample | null)[]} */
    const points = [];
    /** @type {number[]} */
    const times = [];
    let last = NaN;
    for (const sample of this.#samples) {
      const time = Date.parse(sample.at) / 1000;
      if (time - last > 5 * this.#intervalMs / 1000) {
        times.push((time + last) / 2);
        points.push(null);
      }
      times.push(time);
      points.push(sample);
      last = time;
    }
    for (const { key, chart } of this.#charts) {
      chart.show(times, points.map((point) => numberOf(point?.[key])));
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

/** @returns {{ key: keyof PageSample, chart: Chart }[]} */
function makeCharts() {
  return [
    {
      key: "ingest_bytes_per_second",
      chart: new Chart({
        id: "ingest",
        title: "From the source",
        format: formatRate,
        formatTick: formatRate,
        floor: 1024,
        steps: "binary",
      }),
    },
    {
      key: "sent_bytes_per_second",
      chart: new Chart({
        id: "sent",
        title: "To replicas",
        format: formatRate,
        formatTick: formatRate,
        floor: 1024,
        steps: "binary",
      }),
    },
    {
      key: "lag_seconds",
      chart: new Chart({
        id: "lag",
        title: "Lag behind the source",
        format: formatLag,
        formatTick: formatLag,
        floor: 1,
        steps: "seconds",
      }),
    },
  ];
}
