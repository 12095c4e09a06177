// @ts-check
/// <reference lib="dom" />
import { make, setText } from "./dom.js";
import { formatTime } from "./format.js";
import uPlot from "./uplot.js";

/**
 * @typedef {object} ChartParts
 * @property {string} id
 * @property {string} title
 * @property {(value: number) => string} format of a value in words
 * @property {(value: number) => string} formatTick the same, short
 * @property {number} floor the axis reaches at least up to that
 * @property {"binary" | "seconds"} steps between ticks
 */

const HEIGHT = 120;

/** Steps between ticks of bytes: round in KiB, MiB, GiB. */
const BINARY_STEPS = Array.from({ length: 50 }, (_, power) => 2 ** power);

/** Steps between ticks of seconds. */
const SECOND_STEPS = [
  0.1,
  0.2,
  0.5,
  1,
  2,
  5,
  10,
  15,
  30,
  60,
  120,
  300,
  600,
  1800,
  3600,
  7200,
  21_600,
  43_200,
  86_400,
  172_800,
  604_800,
  2_592_000,
  31_536_000,
];

/**
 * A small chart of the last ten minutes: what it is now, and at the time that
 * is pointed at. Drawn only while it is in sight.
 */
export class Chart {
  #parts;
  #value = make("span", { class: "figure" });
  #when = make("span", { class: "muted" });
  #plot = make("div", { class: "plot", role: "img" });
  /** @type {uPlot | undefined} */
  #chart;
  /** @type {[number[], (number | null)[]]} */
  #data = [[], []];
  #isInSight = false;
  #isDrawn = false;

  /** @param {ChartParts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /**
   * Puts it into the page.
   *
   * @param {HTMLElement} place
   */
  open(place) {
    const { id, title } = this.#parts;
    place.append(make(
      "figure",
      { class: "card chart", id: `chart-${id}` },
      make(
        "figcaption",
        {},
        make("span", { class: "chart-title" }, title),
        this.#value,
        this.#when,
      ),
      this.#plot,
    ));
    new IntersectionObserver((entries) => {
      this.#isInSight = entries.at(-1)?.isIntersecting ?? true;
      if (this.#isInSight && !this.#isDrawn) this.#draw();
    }).observe(this.#plot);
    new ResizeObserver(() => {
      const width = this.#plot.clientWidth;
      if (width > 0) this.#chart?.setSize({ width, height: HEIGHT });
    }).observe(this.#plot);
  }

  /**
   * @param {number[]} times in seconds
   * @param {(number | null)[]} values
   */
  show(times, values) {
    this.#data = [times, values];
    this.#isDrawn = false;
    this.#describe();
    if (this.#isInSight) this.#draw();
  }

  /** Takes the colours of the page again: it may be dark now. */
  recolour() {
    this.#chart?.destroy();
    this.#chart = undefined;
    if (this.#isInSight) this.#draw();
  }

  #draw() {
    this.#isDrawn = true;
    const { clientWidth: width } = this.#plot;
    if (width === 0) return;
    if (this.#chart === undefined) {
      this.#chart = new uPlot(this.#options(width), this.#data, this.#plot);
    } else this.#chart.setData(this.#data);
  }

  /** What it is now, or was at the time that is pointed at. */
  #describe() {
    const { title, format } = this.#parts;
    const [times, values] = this.#data;
    const pointed = this.#chart?.cursor.idx;
    const index = pointed ?? values.length - 1;
    const value = values[index];
    const time = times[index];
    setText(this.#value, typeof value === "number" ? format(value) : "–");
    const isPast = pointed !== undefined && pointed !== null;
    setText(
      this.#when,
      isPast && time !== undefined
        ? `at ${formatTime(new Date(time * 1000), new Date())}`
        : "now",
    );
    const known = values.filter((value) => value !== null);
    const summary = known.length === 0
      ? "nothing known yet"
      : `${format(least(known))} to ${
        format(most(known))
      } in the last ten minutes`;
    this.#plot.setAttribute("aria-label", `${title}: ${summary}`);
  }

  /**
   * @param {number} width
   * @returns {uPlot.Options}
   */
  #options(width) {
    const { formatTick, floor, steps } = this.#parts;
    const style = getComputedStyle(this.#plot);
    /** @param {string} name */
    const colour = (name) => style.getPropertyValue(name).trim();
    const font = `11px ${style.fontFamily}`;
    const axis = {
      stroke: colour("--muted"),
      font,
      grid: { stroke: colour("--line"), width: 1 },
      ticks: { show: false },
    };
    return {
      width,
      height: HEIGHT,
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: false, y: false },
        points: { size: 6 },
        sync: { key: "kingbus", setSeries: false },
      },
      padding: [8, 8, 0, 0],
      scales: {
        x: { time: true },
        y: { range: (_, __, max) => [0, Math.max(floor, (max ?? 0) * 1.1)] },
      },
      axes: [
        {
          ...axis,
          size: 22,
          gap: 4,
          space: 60,
          values: (_, splits) => splits.map(clockTime),
        },
        {
          ...axis,
          size: 64,
          gap: 6,
          space: 28,
          incrs: steps === "binary" ? BINARY_STEPS : SECOND_STEPS,
          values: (_, splits) => splits.map(formatTick),
        },
      ],
      series: [
        {},
        {
          stroke: colour("--accent"),
          fill: colour("--accent-faint"),
          width: 1.5,
          points: { show: false },
          spanGaps: false,
        },
      ],
      hooks: { setCursor: [() => this.#describe()] },
    };
  }
}

/**
 * @param {number} seconds
 * @returns {string} such as `15:04`
 */
function clockTime(seconds) {
  return formatTime(new Date(seconds * 1000), new Date(seconds * 1000))
    .slice(0, 5);
}

/**
 * @param {readonly number[]} values
 * @returns {number}
 */
function least(values) {
  return values.reduce((a, b) => Math.min(a, b));
}

/**
 * @param {readonly number[]} values
 * @returns {number}
 */
function most(values) {
  return values.reduce((a, b) => Math.max(a, b));
}
