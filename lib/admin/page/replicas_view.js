// @ts-check
/// <reference lib="dom" />
import {
  byId,
  field,
  make,
  setPill,
  setPlain,
  setShown,
  setText,
  setTime,
  setTitle,
  setTone,
} from "./dom.js";
import {
  formatBytes,
  formatCount,
  formatLag,
  formatPlain,
  formatRate,
} from "./format.js";
import { lagTone } from "./lag_tone.js";
import { PagedTable } from "./paged_table.js";
import { ReplicaList } from "./replica_list.js";
import { replicaLag } from "./replica_lag.js";
import { replicaName } from "./replica_name.js";
import { rowButton } from "./row_button.js";

/** @import { Column } from "./paged_table.js" */
/** @import { LiveStatus } from "../live/live_status.ts" */
/** @import { ReplicaStatus } from "../server_status.ts" */
/** @import { ServerClock } from "./server_clock.js" */

/** The replicas, one by one. */
export class ReplicasView {
  #table;
  #list;
  /** @type {LiveStatus | undefined} */
  #status;

  /**
   * @param {ServerClock} clock
   * @param {(connectionId: string) => void} onKick
   * @param {() => Promise<readonly ReplicaStatus[]>} loadAll
   */
  constructor(clock, onKick, loadAll) {
    this.#list = new ReplicaList(loadAll);
    this.#table = new PagedTable({
      name: "replicas",
      caption: "Connected replicas",
      places: {
        table: byId("replicas-table", HTMLElement),
        tools: byId("replicas-tools", HTMLElement),
        pager: byId("replicas-pager", HTMLElement),
        empty: byId("replicas-empty", HTMLElement),
      },
      columns: columns(clock, onKick),
      keyOf: ({ connection_id }) => connection_id,
      textOf: (replica) =>
        [
          replicaName(replica),
          replica.remote,
          replica.user,
          replica.server_id,
          replica.server_uuid,
          replica.program,
          replica.client_version,
          replica.file,
        ].join("\n"),
      filterLabel: "Filter replicas",
      order: { key: "name", descending: false },
      pageRows: 25,
      describePart: (known, total) =>
        `These are the ${formatCount(known)} furthest behind of ${
          formatCount(total)
        }.`,
      loadAll: async () => {
        await this.#list.loadAll();
        if (this.#status !== undefined) this.show(this.#status);
      },
    });
  }

  /** @param {LiveStatus} status */
  show(status) {
    this.#status = status;
    const { server, replicas } = status;
    setText(field("replicas-count"), formatCount(replicas.total));
    this.#table.show(this.#list.rows(status), replicas.total);
    if (replicas.total > 0) return;
    const empty = byId("replicas-empty", HTMLElement);
    setText(
      empty,
      server.status === "running"
        ? `No replica is connected. Replicas connect to ${
          formatPlain(server.addr)
        }.`
        : "The binlog server is stopped, so no replica can connect.",
    );
    setShown(empty, true);
  }
}

/**
 * @param {ServerClock} clock
 * @param {(connectionId: string) => void} onKick
 * @returns {Column<ReplicaStatus>[]}
 */
function columns(clock, onKick) {
  return [
    {
      key: "name",
      label: "Replica",
      sort: (replica) => inNumberOrder(replicaName(replica)),
      build: twoLines,
      fill: (cell, replica) => {
        const id = replica.server_id > 0 ? `id ${replica.server_id}` : "no id";
        fillTwo(cell, replicaName(replica), `${id}, ${replica.user}`);
        setTitle(cell, formatPlain(replica.server_uuid));
      },
    },
    {
      key: "from",
      label: "From",
      sort: ({ remote }) => inNumberOrder(remote),
      build: twoLines,
      fill: (cell, replica) => {
        const time = new Date(replica.connect_time);
        fillTwo(cell, replica.remote, "");
        const since = second(cell);
        setTime(since, replica.connect_time, clock.now());
        setText(since, `since ${since.textContent}`);
        setTitle(since, time.toISOString());
      },
    },
    {
      key: "client",
      label: "Client",
      sort: ({ program, client_version }) => `${program} ${client_version}`,
      build: twoLines,
      fill: (cell, replica) => {
        fillTwo(cell, replica.program || "–", describeClient(replica));
      },
    },
    {
      key: "place",
      label: "Position",
      sort: ({ file, position }) =>
        `${file}:${String(position).padStart(16, "0")}`,
      build: twoLines,
      fill: (cell, { file, position, mode }) => {
        fillTwo(
          cell,
          file === "" ? "–" : file,
          file === "" ? "" : `at ${position}${describeMode(mode)}`,
        );
      },
    },
    {
      key: "lag",
      label: "Lag",
      isNumber: true,
      sort: replicaLag,
      build: twoLines,
      fill: (cell, { lag_seconds, lag_bytes }) => {
        const isTimed = typeof lag_seconds === "number";
        const isSized = typeof lag_bytes === "number";
        fillTwo(
          cell,
          isTimed ? formatLag(lag_seconds) : "–",
          isSized ? formatBytes(lag_bytes) : "",
        );
        setTone(cell, lagTone(lag_seconds));
        setTitle(cell, isSized ? `${formatCount(lag_bytes)} bytes` : "");
      },
    },
    {
      key: "rate",
      label: "Sent",
      isNumber: true,
      sort: ({ bytes_per_second }) => bytes_per_second,
      build: twoLines,
      fill: (cell, { bytes_per_second, stats }) => {
        fillTwo(
          cell,
          formatRate(bytes_per_second),
          `${formatBytes(Number(stats.bytes_sent))} so far`,
        );
      },
    },
    {
      key: "semi-sync",
      label: "Semi-sync",
      sort: ({ semi_sync }) => semi_sync === undefined ? 0 : 1,
      build: twoLines,
      fill: (cell, { semi_sync }) => {
        fillTwo(
          cell,
          semi_sync === undefined ? "no" : "yes",
          semi_sync === undefined
            ? ""
            : `${formatCount(semi_sync.acks_received)} of ${
              formatCount(semi_sync.acks_asked)
            } acks`,
        );
        setTitle(
          cell,
          semi_sync === undefined
            ? ""
            : formatPlain(`${semi_sync.file}:${semi_sync.position}`),
        );
      },
    },
    {
      key: "state",
      label: "State",
      sort: ({ replication_state }) => replication_state,
      build: (cell) => cell.append(make("span", { class: "pill" })),
      fill: (cell, { replication_state }) => {
        const pill = cell.firstElementChild;
        if (!(pill instanceof HTMLElement)) return;
        if (replication_state === 1) setPill(pill, "good", "Receiving");
        else setPill(pill, "none", "Connected");
      },
    },
    {
      key: "action",
      label: "Action",
      build: (cell, connectionId) => {
        cell.append(rowButton("Kick…", () => onKick(connectionId)));
      },
      fill: (cell, replica) => {
        const label = `Kick ${formatPlain(replicaName(replica), 80)}`;
        const kick = cell.firstElementChild;
        if (kick?.getAttribute("aria-label") === label) return;
        kick?.setAttribute("aria-label", label);
      },
    },
  ];
}

/**
 * Something to sort names by in which 10 comes after 9.
 *
 * @param {string} name
 * @returns {string}
 */
function inNumberOrder(name) {
  return name.toLowerCase().replace(
    /\d{1,12}/g,
    (digits) => digits.padStart(12, "0"),
  );
}

/**
 * @param {ReplicaStatus["mode"]} mode
 * @returns {string}
 */
function describeMode(mode) {
  return mode === "" ? "" : mode === "gtid" ? ", by GTID" : ", by position";
}

/**
 * @param {ReplicaStatus} replica
 * @returns {string}
 */
function describeClient({ client_version, tls, compression }) {
  return [
    client_version,
    tls === "" ? "no TLS" : tls,
    compression === "none" ? "" : compression,
  ].filter((part) => part !== "").join(", ");
}

/** @param {HTMLElement} cell */
function twoLines(cell) {
  cell.append(
    make("span", { class: "line" }),
    make("span", { class: "line muted" }),
  );
}

/**
 * @param {HTMLElement} cell
 * @returns {HTMLElement}
 */
function second(cell) {
  return /** @type {HTMLElement} */ (cell.children[1]);
}

/**
 * @param {HTMLElement} cell
 * @param {string} first
 * @param {string} below
 */
function fillTwo(cell, first, below) {
  setPlain(/** @type {HTMLElement} */ (cell.children[0]), first);
  setPlain(second(cell), below, "");
}
