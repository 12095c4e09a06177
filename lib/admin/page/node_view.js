// @ts-check
/// <reference lib="dom" />
import { byId, field, make, setPill, setText, setTitle } from "./dom.js";
import { formatDuration, formatPlain, formatTime } from "./format.js";

/** @import { LiveStatus } from "../live/live_status.ts" */
/** @import { ServerClock } from "./server_clock.js" */

/**
 * What the page calls the parts whose readiness is told.
 *
 * @type {Readonly<Record<string, string>>}
 */
const PARTS = { node: "Node", syncer: "Source", server: "Serving" };

/** The node itself: name, version, how long it runs, whether it is ready. */
export class NodeView {
  #clock;

  /** @param {ServerClock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  /** @param {LiveStatus} status */
  show({ name, version, started_at, ready, checks }) {
    setText(field("node-name"), formatPlain(name, 80));
    const uptime = this.#clock.secondsSince(started_at) ?? 0;
    setText(
      field("node-line"),
      `kingbus ${version}, up for ${formatDuration(uptime)}`,
    );
    setTitle(
      field("node-line"),
      `since ${
        formatTime(new Date(started_at), this.#clock.now())
      } (${started_at})`,
    );
    setPill(
      field("ready"),
      ready ? "good" : "bad",
      ready ? "Ready" : "Not ready",
    );
    const title = ready ? formatPlain(name, 80) : `! ${formatPlain(name, 80)}`;
    if (document.title !== title) document.title = title;
    byId("checks", HTMLElement).classList.toggle("bad", !ready);
    showChecks(checks);
  }
}

/** @param {LiveStatus["checks"]} checks */
function showChecks(checks) {
  const list = field("checks");
  while (list.children.length > checks.length) list.lastChild?.remove();
  checks.forEach(({ part, ready, detail }, index) => {
    const line = list.children[index] ?? list.appendChild(checkLine());
    const [pill, text] = line.children;
    if (pill instanceof HTMLElement) {
      setPill(
        pill,
        ready ? "good" : "bad",
        `${PARTS[part] ?? part} ${ready ? "ready" : "not ready"}`,
      );
    }
    if (text !== undefined) setText(text, formatPlain(detail, 2000));
  });
}

/** @returns {HTMLLIElement} */
function checkLine() {
  return make("li", {}, make("span", { class: "pill" }), make("span"));
}
