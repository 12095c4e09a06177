// @ts-check
/** @import { ReplicaStatus } from "../server_status.ts" */

/**
 * What to call a replica: what it says it is called, or where it came from.
 *
 * @param {ReplicaStatus} replica
 * @returns {string}
 */
export function replicaName({ host_name, port, remote }) {
  if (host_name === "") return remote;
  return port > 0 ? `${host_name}:${port}` : host_name;
}
