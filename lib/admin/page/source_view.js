// @ts-check
/// <reference lib="dom" />
import { announce } from "./announcer.js";
import {
  byId,
  field,
  make,
  optionalField,
  setPill,
  setPlain,
  setShown,
  setText,
  setTime,
  setTitle,
  setTone,
} from "./dom.js";
import {
  capitalized,
  formatBytes,
  formatCount,
  formatDuration,
  formatLag,
  formatNumberOf,
  formatPlain,
  formatTime,
} from "./format.js";
import { lagTone } from "./lag_tone.js";

/** @import { LiveStatus } from "../live/live_status.ts" */
/** @import { SyncerStatus } from "../syncer_status.ts" */
/** @import { ServerClock } from "./server_clock.js" */

/**
 * @type {Readonly<Record<SyncerStatus["state"],
 *   { tone: "good" | "warn" | "bad" | "none", text: string }>>}
 */
const STATES = {
  following: { tone: "good", text: "Following" },
  connecting: { tone: "warn", text: "Connecting" },
  waiting: { tone: "warn", text: "Waiting to try again" },
  stopped: { tone: "none", text: "Stopped" },
  failed: { tone: "bad", text: "Failed" },
};

/** The source: who it is, how it is followed, and if not, why not. */
export class SourceView {
  #clock;
  /** @type {string | undefined} */
  #said;

  /** @param {ServerClock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  /** @param {LiveStatus} status */
  show({ syncer }) {
    const hasSource = syncer.mysql_addr !== "";
    const { tone, text } = hasSource
      ? STATES[syncer.state]
      : { tone: /** @type {const} */ ("none"), text: "No source" };
    setPill(field("source-state"), tone, text);
    if (this.#said !== undefined && this.#said !== text) {
      announce(`Source: ${text}`);
    }
    this.#said = text;
    // Of no source there is nothing to tell.
    setShown(byId("source-facts", HTMLElement), hasSource);
    this.#showLag(syncer);
    this.#showProblem(syncer, hasSource);
    this.#showServer(syncer);
    this.#showSemiSync(syncer);
    showCandidates(syncer.candidates);
  }

  /** @param {SyncerStatus} syncer */
  #showLag(syncer) {
    const { lag_seconds: seconds, lag_bytes: bytes } = syncer;
    const isKnown = seconds !== null;
    const isUpToDate = seconds === 0 && bytes === 0;
    setTone(field("source-lag"), lagTone(seconds));
    setText(
      field("source-lag"),
      isUpToDate
        ? "Up to date"
        : isKnown
        ? formatLag(seconds)
        : syncer.state === "following"
        ? "Lag not known yet"
        : "Not following",
    );
    const behind = isKnown ? ["behind"] : [];
    if (bytes !== null) behind.push(`${formatBytes(bytes)} to come`);
    if (syncer.state !== "following") behind.push(...this.#silence(syncer));
    setText(field("source-lag-bytes"), isUpToDate ? "" : behind.join(", "));
    setTitle(
      field("source-lag-bytes"),
      bytes === null ? "" : `${formatCount(bytes)} bytes`,
    );
  }

  /**
   * For how long the log has got nothing new.
   *
   * @param {SyncerStatus} syncer
   * @returns {string[]}
   */
  #silence({ heard_at }) {
    const seconds = this.#clock.secondsSince(heard_at);
    return seconds === undefined
      ? []
      : [`nothing came for ${formatDuration(seconds)}`];
  }

  /**
   * @param {SyncerStatus} syncer
   * @param {boolean} hasSource
   */
  #showProblem(syncer, hasSource) {
    const { cause, reason, advice } = syncer;
    const why = whyNot(syncer, hasSource);
    setShown(byId("source-problem", HTMLElement), why !== undefined);
    if (why === undefined) return;
    setText(field("source-cause"), why.title);
    setText(
      field("source-reason"),
      capitalized(formatPlain(reason ?? why.text, 2000)),
    );
    setText(
      field("source-advice"),
      advice === undefined || advice === ""
        ? ""
        : `What to do: ${formatPlain(advice, 2000)}`,
    );
    const tries = [];
    const next = this.#clock.secondsSince(syncer.next_attempt_at);
    if (syncer.attempts > 0) {
      tries.push(`${formatNumberOf(syncer.attempts, "attempt")} failed`);
    }
    if (syncer.next_attempt_at !== undefined && next !== undefined) {
      const waitSeconds =
        (Date.parse(syncer.next_attempt_at) - this.#clock.now().getTime()) /
        1000;
      tries.push(
        waitSeconds > 0.5
          ? `next one in ${formatDuration(waitSeconds)}`
          : "trying again now",
      );
    }
    if (syncer.state === "failed" && cause !== undefined) {
      tries.push("kingbus does not try again by itself");
    }
    setText(field("source-retry"), sentence(tries));
    const box = byId("source-problem", HTMLElement);
    setTone(box, syncer.state === "failed" ? "bad" : cause ? "warn" : "none");
  }

  /** @param {SyncerStatus} syncer */
  #showServer(syncer) {
    const now = this.#clock.now();
    const { source } = syncer;
    setPlain(
      field("source-address"),
      syncer.mysql_addr === ""
        ? ""
        : `${syncer.mysql_addr} as ${syncer.mysql_user}`,
    );
    setPlain(
      field("source-server"),
      source === undefined
        ? ""
        : `${source.version}, server id ${source.server_id}`,
    );
    setTitle(field("source-server"), source?.server_uuid ?? "");
    const connected = syncer.state === "following"
      ? syncer.connected_at
      : undefined;
    setTime(field("source-connected"), connected, now, "not connected");
    const seconds = this.#clock.secondsSince(connected);
    if (connected !== undefined && seconds !== undefined) {
      setText(
        field("source-connected"),
        `since ${formatTime(new Date(connected), now)} (${
          formatDuration(seconds)
        })`,
      );
    }
    setTime(field("source-heard"), syncer.heard_at, now, "never");
    setText(
      field("source-link"),
      connected === undefined ? "–" : describeLink(source),
    );
    setTitle(field("source-link"), source?.tls_cipher ?? "");
  }

  /** @param {SyncerStatus} syncer */
  #showSemiSync({ acknowledging, semi_sync }) {
    const place = optionalField("source-semi-sync", semi_sync);
    if (!semi_sync) return;
    if (acknowledging === undefined) {
      setText(place, "asked for, not running");
      return;
    }
    const { active, acks_sent, waiting, replicas } = acknowledging;
    const parts = [
      active ? "active" : "asynchronous now",
      `${formatNumberOf(acks_sent, "ack")} sent`,
    ];
    if (waiting > 0) parts.push(`source waits for ${formatCount(waiting)}`);
    if (replicas !== undefined) {
      parts.push(
        `${replicas.state}: ${replicas.connected} of ${replicas.required} replicas needed`,
      );
    }
    setText(place, parts.join(", "));
  }
}

/**
 * What keeps it from following, in a heading and a sentence; undefined when
 * nothing does.
 *
 * @param {SyncerStatus} syncer
 * @param {boolean} hasSource
 * @returns {{ title: string, text: string } | undefined}
 */
function whyNot({ state, cause, wanted, mysql_addr }, hasSource) {
  if (!hasSource) {
    return {
      title: "No source is configured",
      text:
        "Name it in the configuration, under source, or with the command: kingbus source start.",
    };
  }
  if (cause !== undefined && state !== "following") {
    return {
      title: `Not following: ${cause}`,
      text: `kingbus can't follow ${formatPlain(mysql_addr)}.`,
    };
  }
  if (state === "stopped" && !wanted) {
    return {
      title: "Stopped on purpose",
      text:
        "It stays stopped, also when kingbus is started again, until somebody starts it. Replicas are served what is stored.",
    };
  }
  return undefined;
}

/**
 * @param {SyncerStatus["source"]} source
 * @returns {string}
 */
function describeLink(source) {
  if (source === undefined) return "–";
  const tls = source.tls === "" ? "without TLS" : source.tls;
  return source.compression === "none" ? tls : `${tls}, ${source.compression}`;
}

/**
 * @param {SyncerStatus["candidates"]} candidates
 */
function showCandidates(candidates) {
  const place = optionalField("source-candidates", candidates.length > 1);
  if (candidates.length < 2) {
    place.replaceChildren();
    return;
  }
  while (place.children.length > candidates.length) place.lastChild?.remove();
  candidates.forEach(({ mysql_addr, followed, cause, reason }, index) => {
    const old = place.children[index];
    const line = old instanceof HTMLElement ? old : make("div");
    if (old === undefined) place.append(line);
    const state = followed ? " (followed)" : cause ? ` (${cause})` : "";
    setText(line, `${formatPlain(mysql_addr)}${state}`);
    setTitle(line, formatPlain(reason ?? "", 1000));
  });
}

/**
 * @param {readonly string[]} parts
 * @returns {string}
 */
function sentence(parts) {
  return parts.length === 0 ? "" : `${capitalized(parts.join(", "))}.`;
}
