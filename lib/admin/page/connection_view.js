// @ts-check
/// <reference lib="dom" />
import { announce } from "./announcer.js";
import { byId, field, setShown, setText, setTitle } from "./dom.js";
import { capitalized, formatDuration, formatTime } from "./format.js";

/** @import { Connection } from "./status_stream.js" */

/** What is shown is older than that: it is said to be old. */
const FRESH_MS = 5_000;

/**
 * Whether what the page shows is how things are: how old it is, and what is the
 * matter when kingbus can't be heard. Old data is never shown as if it were new.
 */
export class ConnectionView {
  /** @type {Connection} */
  #connection = { kind: "connecting" };
  /** Until when what is shown was so, by this machine's clock. */
  /** @type {number | undefined} */
  #updatedAt;
  /** Why it was lost, until it is back. */
  /** @type {string | undefined} */
  #why;

  /** True when what is shown is how things are. */
  get isLive() {
    return this.#connection.kind === "live" && this.#ageMs() < FRESH_MS;
  }

  /** What is shown is how things are now. */
  updated() {
    this.#updatedAt = Date.now();
  }

  /** @param {Connection} connection */
  changed(connection) {
    this.#connection = connection;
    if (connection.kind === "lost") {
      if (this.#why === undefined) announce("Connection to kingbus lost");
      this.#why = connection.why;
    }
    if (connection.kind === "live") {
      if (this.#why !== undefined) announce("Connected to kingbus again");
      this.#why = undefined;
    }
    this.show();
  }

  /** Shows how it stands now. */
  show() {
    const { body } = document;
    const kind = this.#kind();
    if (body.dataset["connection"] !== kind) body.dataset["connection"] = kind;
    const age = this.#ageMs();
    const { kind: state } = this.#connection;
    setText(
      field("updated"),
      this.#updatedAt === undefined
        ? "not updated yet"
        : `updated ${formatDuration(Math.floor(age / 1000))} ago`,
    );
    setTitle(
      field("updated"),
      this.#updatedAt === undefined
        ? ""
        : new Date(this.#updatedAt).toISOString(),
    );
    const isLost = this.#why !== undefined || state === "refused";
    setShown(byId("banner", HTMLElement), isLost);
    if (isLost) this.#showBanner();
  }

  #kind() {
    const { kind } = this.#connection;
    if (kind === "live" && !this.isLive) return "stale";
    if (kind === "connecting") return this.#why ? "lost" : "connecting";
    return kind;
  }

  #showBanner() {
    const connection = this.#connection;
    const isRefused = connection.kind === "refused";
    setText(
      field("banner-title"),
      isRefused ? "A token is needed" : "Connection to kingbus lost",
    );
    const why = connection.kind === "refused"
      ? connection.message
      : this.#why ?? "";
    const shown = this.#updatedAt === undefined
      ? ""
      : ` What is shown is from ${
        formatTime(new Date(this.#updatedAt), new Date())
      } and may have changed since.`;
    setText(field("banner-text"), `${capitalized(why)}.${shown}`);
    setText(field("banner-next"), this.#next());
    setText(
      byId("retry-button", HTMLElement),
      isRefused ? "Give a token…" : "Try now",
    );
  }

  #next() {
    const connection = this.#connection;
    if (connection.kind === "connecting") return "Trying now…";
    if (connection.kind !== "lost") return "";
    const seconds = Math.ceil((connection.retryAt - Date.now()) / 1000);
    return seconds > 0 ? `Next attempt in ${seconds} s` : "Trying now…";
  }

  #ageMs() {
    return this.#updatedAt === undefined
      ? Infinity
      : Math.max(0, Date.now() - this.#updatedAt);
  }
}
