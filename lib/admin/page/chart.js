// @ts-check
/// <reference lib="dom" />
import { make, setShown, setText } from "./dom.js";
import { formatTime } from "./format.js";
import uPlot from "./uplot.js";

/**
 * @typedef {object} ChartParts
 * @property {string} id
 * @property {string} title
 * @property {readonly string[]} lines what each line is; one line needs no name
 * @property {(value: number) => string} format of a value in words
 * @property {number} floor the axis reaches at least up to that
 * @property {"binary" | "seconds"} steps between ticks
 */

const HEIGHT = 120;

/** What a chart shows, however much of it is known. */
const SPAN_SECONDS = 600;

/** Steps between ticks of bytes: round in KiB, MiB, GiB. */
const BINARY_STEPS = Array.from({ length: 50 }, (_, power) => 2 ** power);

/** Steps between ticks of seconds. */
// deno-fmt-ignore
const SECOND_STEPS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200,
  21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000, 31_536_000,
];

/** Colours of lines, by the names the style sheet has for them. */
const COLOURS = ["--accent", "--second"];

/**
 * A small chart of the last ten minutes: what it is now, and at the time that
 * is pointed at. Drawn only while it is in sight.
 */
export class Chart {
  #parts;
  /** @type {HTMLElement[]} */
  #values = [];
  #when = make("span", { class: "muted when" });
  #plot = make("div", { class: "plot", role: "img" });
  /** @type {uPlot | undefined} */
  #chart;
  /** @type {uPlot.AlignedData} */
  #data = [[]];
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
    const { id, title, lines } = this.#parts;
    const caption = make(
      "figcaption",
      {},
      make("span", { class: "chart-title" }, title),
    );
    for (const [index, line] of lines.entries()) {
      const value = make("span", { class: "figure" }, "–");
      this.#values.push(value);
      caption.append(
        lines.length === 1 ? value : make(
          "span",
          { class: "line-value", "data-line": String(index) },
          make("span", { class: "muted" }, line),
          " ",
          value,
        ),
      );
    }
    caption.append(this.#when);
    setShown(this.#when, false);
    place.append(make(
      "figure",
      { class: "card chart", id: `chart-${id}` },
      caption,
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
   * @param {(number | null)[][]} lines values of each line at those times
   */
  show(times, lines) {
    this.#data = [times, ...lines];
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
    const { clientWidth: width } = this.#plot;
    if (width === 0) return;
    this.#isDrawn = true;
    if (this.#chart === undefined) {
      this.#chart = new uPlot(this.#options(width), this.#data, this.#plot);
    } else this.#chart.setData(this.#data);
  }

  /** What it is now, or was at the time that is pointed at. */
  #describe() {
    const { format } = this.#parts;
    const [times, ...lines] = this.#data;
    const pointed = this.#chart?.cursor.idx ?? undefined;
    const index = pointed ?? times.length - 1;
    for (const [line, values] of lines.entries()) {
      const place = this.#values[line];
      const value = values[index];
      if (place === undefined) continue;
      setText(place, typeof value === "number" ? format(value) : "–");
    }
    const time = times[index];
    const isPast = pointed !== undefined && time !== undefined;
    setShown(this.#when, isPast);
    if (isPast) {
      setText(
        this.#when,
        `at ${formatTime(new Date(time * 1000), new Date())}`,
      );
    }
    this.#describeAll();
  }

  /** What one sees in it, for those who do not see it. */
  #describeAll() {
    const { title, lines: names, format } = this.#parts;
    const [, ...lines] = this.#data;
    const texts = lines.map((values, index) => {
      const [least, most] = range(values);
      const text = least === undefined || most === undefined
        ? "not known"
        : `${format(least)} to ${format(most)}`;
      return lines.length === 1 ? text : `${names[index]} ${text}`;
    });
    const label = `${title}, last ten minutes: ${texts.join(", ")}`;
    if (this.#plot.getAttribute("aria-label") === label) return;
    this.#plot.setAttribute("aria-label", label);
  }

  /**
   * @param {number} width
   * @returns {uPlot.Options}
   */
  #options(width) {
    const { format, floor, steps, lines } = this.#parts;
    const style = getComputedStyle(this.#plot);
    /** @param {string} name */
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour("--muted"),
      font: `11px ${style.fontFamily}`,
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
      padding: [8, 18, 0, 0],
      scales: {
        x: { time: true, range: (_, __, max) => lastMinutes(max) },
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
          size: 68,
          gap: 6,
          space: 22,
          incrs: steps === "binary" ? BINARY_STEPS : SECOND_STEPS,
          values: (_, splits) => splits.map(format),
        },
      ],
      series: [
        {},
        ...lines.map((_, index) => ({
          stroke: colour(COLOURS[index] ?? "--muted"),
          ...(index === 0 ? { fill: colour("--accent-faint") } : {}),
          width: 1.5,
          points: { show: false },
          spanGaps: false,
        })),
      ],
      hooks: { setCursor: [() => this.#describe()] },
    };
  }
}

/**
 * The ten minutes up to then, or to now if there is nothing yet.
 *
 * @param {number | null} end in seconds
 * @returns {[number, number]}
 */
function lastMinutes(end) {
  const to = end ?? Date.now() / 1000;
  return [to - SPAN_SECONDS, to];
}

/**
 * @param {number} seconds
 * @returns {string} such as `15:04`
 */
function clockTime(seconds) {
  const time = new Date(seconds * 1000);
  return formatTime(time, time).slice(0, 5);
}

/**
 * @param {ArrayLike<number | null | undefined>} values
 * @returns {[least: number | undefined, most: number | undefined]}
 */
function range(values) {
  /** @type {number | undefined} */
  let least;
  /** @type {number | undefined} */
  let most;
  for (const value of Array.from(values)) {
    if (typeof value !== "number") continue;
    least = Math.min(least ?? value, value);
    most = Math.max(most ?? value, value);
  }
  return [least, most];
}
