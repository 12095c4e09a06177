import type { ReplicaReport } from "../admin/control.ts";
import { labelValue } from "./label_value.ts";

/** A replica with series of its own. */
export interface ReplicaSeries {
  readonly report: ReplicaReport;
  /** Its `replica` label: no other series has the same. */
  readonly labels: { readonly replica: string };
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
 *
 * @param replicas in the order they came
 * @param named what the configuration calls some of them
 * @param seriesMax so many get series, in the order they came
 */
export function listReplicaSeries(
  replicas: readonly ReplicaReport[],
  named: readonly NamedReplica[],
  seriesMax: number = REPLICA_SERIES_MAX,
): ReplicaSeriesList {
  const names = new Map(
    named.map(({ uuid, name }) => [uuid.toLowerCase(), name]),
  );
  const dumping = replicas.filter(({ state }) => state === "dumping");
  const newest = new Map<string, string>();
  for (const replica of dumping) {
    newest.set(nameOf(replica, names), replica.connectionId);
  }
  const listed = dumping.slice(0, seriesMax).map((report) => {
    const name = nameOf(report, names);
    const { connectionId } = report;
    const replica = newest.get(name) === connectionId
      ? name
      : `${name}#${connectionId}`;
    return { report, labels: { replica } };
  });
  return { listed, unlisted: dumping.slice(seriesMax) };
}

function nameOf(
  { uuid, serverId, remote, connectionId }: ReplicaReport,
  names: ReadonlyMap<string, string>,
): string {
  const name = names.get(uuid.toLowerCase()) ?? uuid;
  // `#` and brackets have a meaning here.
  if (name !== "") return labelValue(name).replaceAll(/[#()]/g, "_");
  const host = hostOf(remote);
  return serverId === "0" ? `${host}#${connectionId}` : `${serverId}@${host}`;
}

/** The address without the port, which is another one each time. */
export function hostOf(remote: string): string {
  return remote.slice(0, remote.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
}
