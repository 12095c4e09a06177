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
  setTone,
} from "./dom.js";
import {
  formatBytes,
  formatCount,
  formatLag,
  formatNumberOf,
  formatPlain,
  formatRate,
  unbroken,
} from "./format.js";
import { lagTone } from "./lag_tone.js";
import { orderRows } from "./order_rows.js";
import { replicaLag } from "./replica_lag.js";
import { replicaName } from "./replica_name.js";

/** @import { LiveStatus } from "../live/live_status.ts" */
/** @import { ReplicaStatus } from "../server_status.ts" */

/** The binlog server: where it listens, and how its replicas do altogether. */
export class ServerView {
  /** @param {LiveStatus} status */
  show({ server, retention, replicas }) {
    const isRunning = server.status === "running";
    if (isRunning) setPill(field("server-state"), "good", "Serving");
    else if (server.wanted) setPill(field("server-state"), "bad", "Failed");
    else setPill(field("server-state"), "none", "Stopped");
    setText(field("server-count"), formatNumberOf(replicas.total, "replica"));
    setText(
      field("server-dumping"),
      replicas.total === 0 ? "" : `${formatCount(replicas.sending)} receiving`,
    );
    const problem = byId("server-problem", HTMLElement);
    setShown(problem, !isRunning && server.wanted);
    setTone(problem, "bad");
    setText(field("server-reason"), formatPlain(server.reason ?? "", 2000));
    setPlain(field("server-address"), isRunning ? server.addr : "nowhere");
    showFurthest(server.slaves, replicas);
    setText(
      field("server-rate"),
      isRunning ? formatRate(replicas.bytes_per_second) : "–",
    );
    setPlain(
      field("server-users"),
      server.users.join(", "),
      "none: every login is refused",
    );
    showDeclared(retention.replicas);
  }
}

/**
 * @param {readonly ReplicaStatus[]} shown those furthest behind are among them
 * @param {LiveStatus["replicas"]} all
 */
function showFurthest(shown, all) {
  const place = field("server-slowest");
  const [furthest] = orderRows(
    shown.filter(({ replication_state }) => replication_state === 1),
    replicaLag,
    true,
  );
  if (furthest === undefined || all.behind === 0) {
    setTone(place, "none");
    setText(place, furthest === undefined ? "–" : "all have everything");
    setTitle(place, "");
    return;
  }
  const { lag_seconds, lag_bytes } = furthest;
  const parts = [];
  if (lag_seconds !== null) parts.push(formatLag(lag_seconds));
  if (lag_bytes !== undefined) parts.push(formatBytes(lag_bytes));
  setTone(place, lagTone(lag_seconds));
  setText(
    place,
    `${formatPlain(replicaName(furthest), 60)}, ${unbroken(parts.join(", "))}`,
  );
  setTitle(
    place,
    `${formatNumberOf(all.behind, "replica")} behind; this one from ${
      formatPlain(furthest.remote)
    }`,
  );
}

/** @param {LiveStatus["retention"]["replicas"]} declared */
function showDeclared(declared) {
  const place = optionalField("server-declared", declared.length > 0);
  const names = declared.map(({ name, uuid, connected, lost }) =>
    `${name || uuid}${lost ? " (lost)" : connected ? "" : " (away)"}`
  );
  setPlain(place, names.join(", "));
}
