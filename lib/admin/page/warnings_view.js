// @ts-check
/// <reference lib="dom" />
import { byId, field, make, setShown, setText, setTime } from "./dom.js";
import { formatPlain } from "./format.js";

/** @import { PageStatus, PageWarning } from "./page_status.ts" */
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

  /** @param {PageStatus} status */
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
   * @param {PageWarning} warning
   * @returns {HTMLElement}
   */
  #line({ at, level, message }) {
    const time = make("time", { datetime: at });
    setTime(time, at, this.#clock.now());
    const text = make("span", { class: "message" });
    setText(text, formatPlain(message, 2000));
    const isError = level !== "warn";
    return make(
      "li",
      {},
      make(
        "span",
        { class: "pill", "data-tone": isError ? "bad" : "warn" },
        isError ? "Error" : "Warning",
      ),
      time,
      text,
    );
  }
}
