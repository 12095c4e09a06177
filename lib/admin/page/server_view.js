// @ts-check
/// <reference lib="dom" />
import {
  byId,
  field,
  optionalField,
  setPill,
  setPlain,
  setShown,
  setText,
  setTitle,
} from "./dom.js";
import {
  formatBytes,
  formatCount,
  formatLag,
  formatNumberOf,
  formatPlain,
  formatRate,
} from "./format.js";
import { replicaName } from "./replica_name.js";

/** @import { PageReplica, PageStatus } from "./page_status.ts" */

/** The binlog server: where it listens, and how its replicas do altogether. */
export class ServerView {
  /** @param {PageStatus} status */
  show({ server, retention }) {
    const { slaves: replicas } = server;
    const isRunning = server.status === "running";
    if (isRunning) setPill(field("server-state"), "good", "Serving");
    else if (server.wanted) setPill(field("server-state"), "bad", "Failed");
    else setPill(field("server-state"), "none", "Stopped");
    setText(field("server-count"), formatNumberOf(replicas.length, "replica"));
    const dumping = replicas.filter((replica) =>
      replica.replication_state === 1
    );
    setText(
      field("server-dumping"),
      replicas.length === 0
        ? ""
        : `${formatCount(dumping.length)} are sent the log`,
    );
    const problem = byId("server-problem", HTMLElement);
    setShown(problem, !isRunning && server.wanted);
    if (problem.dataset["tone"] !== "bad") problem.dataset["tone"] = "bad";
    setText(field("server-reason"), formatPlain(server.reason ?? "", 2000));
    setPlain(field("server-address"), isRunning ? server.addr : "nowhere");
    showSlowest(dumping);
    const rates = dumping.flatMap(({ bytes_per_second }) =>
      typeof bytes_per_second === "number" ? [bytes_per_second] : []
    );
    setText(
      field("server-rate"),
      rates.length === 0
        ? "–"
        : formatRate(rates.reduce((sum, rate) => sum + rate, 0)),
    );
    setPlain(
      field("server-users"),
      server.users.join(", "),
      "none: every login is refused",
    );
    showDeclared(retention.replicas);
  }
}

/** @param {readonly PageReplica[]} dumping */
function showSlowest(dumping) {
  const place = field("server-slowest");
  /** @type {PageReplica | undefined} */
  let slowest;
  for (const replica of dumping) {
    if (slowest === undefined || isBehind(replica, slowest)) slowest = replica;
  }
  if (slowest === undefined) {
    setText(place, "–");
    setTitle(place, "");
    return;
  }
  const { lag_seconds, lag_bytes } = slowest;
  const lags = [];
  if (typeof lag_seconds === "number") lags.push(formatLag(lag_seconds));
  if (typeof lag_bytes === "number") lags.push(formatBytes(lag_bytes));
  const name = formatPlain(replicaName(slowest), 60);
  if (lag_bytes === 0) {
    setText(place, "nobody: all have everything");
    setTitle(place, "");
    return;
  }
  setText(place, lags.length === 0 ? name : `${name}, ${lags.join(", ")}`);
  setTitle(place, slowest.remote);
}

/**
 * @param {PageReplica} replica
 * @param {PageReplica} other
 * @returns {boolean}
 */
function isBehind(replica, other) {
  return (replica.lag_bytes ?? -1) > (other.lag_bytes ?? -1);
}

/** @param {PageStatus["retention"]["replicas"]} declared */
function showDeclared(declared) {
  const place = optionalField("server-declared", declared.length > 0);
  const names = declared.map(({ name, uuid, connected, lost }) =>
    `${name || uuid}${lost ? " (lost)" : connected ? "" : " (away)"}`
  );
  setPlain(place, names.join(", "));
}
