import type { ReplicaReport } from "../admin/control.ts";
import { labelValue } from "./label_value.ts";

/** What a replica's series are told by. */
export interface ReplicaLabels {
  /** Of all its series: no other replica has the same. */
  readonly own: { readonly replica: string };
  /** Of the one that says who it is. */
  readonly info: Readonly<Record<string, string>>;
}

/** A replica with series of its own. */
export interface ReplicaSeries {
  readonly report: ReplicaReport;
  /** The same object each time, as long as it is connected. */
  readonly labels: ReplicaLabels;
}

/** The replicas that are sent the log, as far as they have series. */
export interface ReplicaSeriesList {
  readonly listed: readonly ReplicaSeries[];
  /** Those over the limit, which have none of their own. */
  readonly unlisted: readonly ReplicaReport[];
}

/** A replica that the configuration names. */
export interface NamedReplica {
  readonly uuid: string;
  readonly name: string;
}

/**
 * The most replicas with series of their own: some eight series each, which a
 * scrape of 20 ms and a Prometheus of any size can take.
 */
export const REPLICA_SERIES_MAX = 2_000;

/** The `replica` label of those over the limit; no replica can be called so. */
export const OTHER_REPLICAS = "(others)";

/**
 * Gives each replica that is sent the log the `replica` label by which its
 * series are known.
 *
 * The name has to stay when a replica connects again, and must not be another's.
 * So it is, as far as known: the name that `retention.replicas` gives its uuid,
 * its uuid, its server id with its address. A tool such as mysqlbinlog has none
 * of these and may run many times, so that it is told by its connection. Where
 * two connections come to the same name the newest has it, since a replica that
 * connects once more ends its older dump, and the others get their connection's
 * number behind it.
 */
export class ReplicaSeriesLister {
  readonly #seriesMax: number;
  /** Of those listed last, by their connections. */
  #known = new Map<string, KnownLabels>();

  /** @param seriesMax so many get series, in the order they came */
  constructor(seriesMax: number = REPLICA_SERIES_MAX) {
    this.#seriesMax = seriesMax;
  }

  /**
   * Lists those that are sent the log.
   *
   * @param replicas in the order they came
   * @param named what the configuration calls some of them
   */
  list(
    replicas: readonly ReplicaReport[],
    named: readonly NamedReplica[],
  ): ReplicaSeriesList {
    const names = new Map(
      named.map(({ uuid, name }) => [uuid.toLowerCase(), name]),
    );
    const dumping = replicas.filter(({ state }) => state === "dumping");
    const nameOfEach = dumping.map((report) => nameOf(report, names));
    const newest = new Map(
      dumping.map(({ connectionId }, index) => [
        nameOfEach[index]!,
        connectionId,
      ]),
    );
    const known = this.#known;
    this.#known = new Map();
    const listed = dumping.slice(0, this.#seriesMax).map((report, index) => {
      const { connectionId } = report;
      const name = nameOfEach[index]!;
      const replica = newest.get(name) === connectionId
        ? name
        : `${name}#${connectionId}`;
      const labels = labelsOf(report, replica, known.get(connectionId));
      this.#known.set(connectionId, labels);
      return { report, labels };
    });
    return { listed, unlisted: dumping.slice(this.#seriesMax) };
  }
}

/** A name that can be a label's value as it is. */
const PLAIN = /^[\w.-]{1,64}$/;

type KnownLabels = ReplicaLabels & {
  readonly name: string;
  /** When it connected: numbers of connections begin anew with the server. */
  readonly sinceMs: number;
};

/** The labels that it has already, as long as they are right. */
function labelsOf(
  report: ReplicaReport,
  name: string,
  known: KnownLabels | undefined,
): KnownLabels {
  const sinceMs = report.connectedAt.getTime();
  if (known?.name === name && known.sinceMs === sinceMs) return known;
  return {
    name,
    sinceMs,
    own: { replica: name },
    info: {
      replica: name,
      server_id: report.serverId,
      uuid: labelValue(report.uuid),
      host: hostOf(report.remote),
      user: labelValue(report.user),
      mode: report.mode,
      tls: report.tls?.version ?? "none",
      compression: report.compression ?? "none",
    },
  };
}

function nameOf(
  { uuid, serverId, remote, connectionId }: ReplicaReport,
  names: ReadonlyMap<string, string>,
): string {
  const configured = names.size === 0
    ? undefined
    : names.get(uuid.toLowerCase());
  const name = configured ?? uuid;
  // As nearly all are, a thousand times in each scrape.
  if (PLAIN.test(name)) return name;
  // `#` and brackets have a meaning here.
  if (name !== "") return labelValue(name).replaceAll(/[#()]/g, "_");
  const host = hostOf(remote);
  return serverId === "0" ? `${host}#${connectionId}` : `${serverId}@${host}`;
}

/** The address without the port, which is another one each time. */
export function hostOf(remote: string): string {
  return remote.slice(0, remote.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
}
