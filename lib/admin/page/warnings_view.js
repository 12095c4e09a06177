// @ts-check
/// <reference lib="dom" />
import { byId, field, make, setShown, setText, setTime } from "./dom.js";
import { formatCount, formatPlain } from "./format.js";

/** @import { LiveStatus } from "../live/live_status.ts" */
/** @import { LiveWarning } from "../live/live_warning.ts" */
/** @import { ServerClock } from "./server_clock.js" */

/** As many are shown. */
const WARNINGS_MAX = 50;

/** What was logged as a warning or an error, newest first. */
export class WarningsView {
  #clock;
  #list = field("warnings");
  /** What stands there, to see whether it is still the same. */
  #shown = "";

  /** @param {ServerClock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  /** @param {LiveStatus} status */
  show({ warnings }) {
    if (warnings === undefined) return;
    const newest = [...warnings]
      .sort((a, b) => a.at < b.at ? 1 : a.at > b.at ? -1 : 0)
      .slice(0, WARNINGS_MAX);
    const shown = JSON.stringify(newest);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#list.replaceChildren(...newest.map((warning) => this.#line(warning)));
    setShown(this.#list, newest.length > 0);
    setShown(byId("warnings-empty", HTMLElement), newest.length === 0);
  }

  /**
   * @param {LiveWarning} warning
   * @returns {HTMLElement}
   */
  #line({ at, first_at, level, message, fields, count }) {
    const time = make("time", { datetime: at });
    setTime(time, at, this.#clock.now());
    const text = make("span", { class: "message" });
    setText(text, formatPlain(message, 2000));
    const facts = make("span", { class: "facts muted" });
    setText(
      facts,
      Object.entries(fields).map(([name, value]) =>
        `${formatPlain(name, 60)}: ${formatPlain(String(value), 500)}`
      ).join(", "),
    );
    const times = make("span", { class: "muted" });
    if (count > 1) setText(times, `${formatCount(count)} times since `);
    if (count > 1) {
      const first = make("time", { datetime: first_at });
      setTime(first, first_at, this.#clock.now());
      times.append(first);
    }
    const isError = level === "error";
    return make(
      "li",
      {},
      make(
        "span",
        { class: "pill", "data-tone": isError ? "bad" : "warn" },
        isError ? "Error" : "Warning",
      ),
      make("span", { class: "when" }, time, times),
      text,
      facts,
    );
  }
}
