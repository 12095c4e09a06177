// @ts-check
/// <reference lib="dom" />
import {
  byId,
  field,
  optionalField,
  setPlain,
  setShown,
  setText,
  setTitle,
  setTone,
} from "./dom.js";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatNumberOf,
  formatPlain,
  formatTime,
} from "./format.js";
import { GtidField } from "./gtid_field.js";

/** @import { LiveStatus } from "../live/live_status.ts" */
/** @import { LogStatus } from "../syncer_status.ts" */
/** @import { ServerClock } from "./server_clock.js" */

/** The log: where it ends, what it holds, how much it keeps. */
export class LogView {
  #clock;
  #executed;
  #purged;
  #position;

  /**
   * @param {ServerClock} clock
   * @param {() => Promise<LogStatus>} loadWhole asks for sets that are not cut
   */
  constructor(clock, loadWhole) {
    this.#clock = clock;
    this.#executed = new GtidField(
      field("log-executed"),
      "executed GTIDs",
      async () => (await loadWhole()).executed_gtid_set,
    );
    this.#purged = new GtidField(
      field("log-purged"),
      "purged GTIDs",
      async () => (await loadWhole()).purged_gtid_set,
    );
    this.#position = new GtidField(
      field("log-gtid-position"),
      "GTID position",
      async () => (await loadWhole()).gtid_binlog_pos ?? "",
    );
  }

  /** @param {LiveStatus} status */
  show({ syncer, store, retention }) {
    const now = this.#clock.now();
    setText(
      field("log-size"),
      `${formatNumberOf(store.files, "file")}, ${formatBytes(store.bytes)}`,
    );
    setTitle(field("log-size"), `${formatCount(store.bytes)} bytes`);
    const file = syncer.last_binlog_file;
    setPlain(
      field("log-head"),
      file === "" ? "Empty" : `${file}:${syncer.last_file_position}`,
    );
    const age = this.#clock.secondsSince(syncer.last_event_time);
    setText(
      field("log-time"),
      age === undefined || syncer.last_event_time === undefined
        ? ""
        : `newest event ${formatTime(new Date(syncer.last_event_time), now)}`,
    );
    setTitle(field("log-time"), syncer.last_event_time ?? "");
    setPlain(field("log-gtid"), syncer.current_gtid, "none");
    const position = syncer.gtid_binlog_pos;
    optionalField("log-gtid-position", position !== undefined);
    this.#position.show(position ?? "");
    this.#executed.show(syncer.executed_gtid_set);
    this.#purged.show(syncer.purged_gtid_set);
    this.#showRetention(retention, now);
    showHeldBack(retention);
  }

  /**
   * @param {LiveStatus["retention"]} retention
   * @param {Date} now
   */
  #showRetention({ limits, free_bytes, last_purge, purged_files }, now) {
    setText(field("log-retention"), describeLimits(limits));
    const free = optionalField("log-free", free_bytes !== undefined);
    setText(free, free_bytes === undefined ? "" : formatBytes(free_bytes));
    const purge = field("log-purge");
    if (last_purge === undefined) {
      setText(purge, "none since kingbus started");
      setTitle(purge, "");
      return;
    }
    const { at, files, bytes, first, last } = last_purge;
    const total = purged_files === files
      ? ""
      : `; ${formatNumberOf(purged_files, "file")} since the start`;
    setText(
      purge,
      `${formatTime(new Date(at), now)}: ${formatNumberOf(files, "file")}, ${
        formatBytes(bytes)
      }${total}`,
    );
    setTitle(purge, `${formatPlain(first)} to ${formatPlain(last)}, ${at}`);
  }
}

/**
 * @param {LiveStatus["retention"]["limits"]} limits
 * @returns {string}
 */
function describeLimits({ bytes, age_ms, files, free_disk_bytes }) {
  const parts = [];
  if (bytes !== undefined) parts.push(`at most ${formatBytes(bytes)}`);
  if (age_ms !== undefined) parts.push(formatDuration(age_ms / 1000));
  if (files !== undefined) parts.push(formatNumberOf(files, "file"));
  if (free_disk_bytes !== undefined) {
    parts.push(`${formatBytes(free_disk_bytes)} of disk kept free`);
  }
  return parts.length === 0 ? "keeps everything" : parts.join(", ");
}

/** @param {LiveStatus["retention"]} retention */
function showHeldBack({ failure, held_back }) {
  const box = byId("log-problem", HTMLElement);
  setShown(box, failure !== undefined || held_back !== undefined);
  if (failure !== undefined) {
    setText(field("log-problem-title"), "Retention could not be checked");
    setText(field("log-problem-text"), formatPlain(failure, 2000));
  } else if (held_back !== undefined) {
    const names = held_back.by.map(({ name, uuid }) => name || uuid);
    const more = names.length > 5 ? ` and ${names.length - 5} more` : "";
    setText(
      field("log-problem-title"),
      "Replicas keep files from being purged",
    );
    setText(
      field("log-problem-text"),
      `${formatNumberOf(held_back.files, "file")} (${
        formatBytes(held_back.bytes)
      }) should go, and are needed by ${
        names.slice(0, 5).map((name) => formatPlain(name, 60)).join(", ")
      }${more}.`,
    );
  }
  setTone(box, "warn");
}
