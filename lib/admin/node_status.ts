import type { NodeInfo } from "./control.ts";
import type { ReadinessCheck } from "./readiness.ts";
import type { RetentionStatus } from "./retention_status.ts";
import type { ServerStatus } from "./server_status.ts";
import type { SyncerStatus } from "./syncer_status.ts";

/** A node in the answers of `/cluster`, the id in hexadecimal. */
export interface ClusterNode {
  readonly Id: string;
  readonly peerURLs: readonly string[];
  readonly name: string;
  readonly adminURLs: readonly string[];
  readonly isLeader: boolean;
}

/** A node in the answers of `/members`, the id in decimal, as text. */
export type ClusterMember = Omit<ClusterNode, "isLeader">;

/** `data` of `GET /status`: all there is to say about the node, at once. */
export interface NodeStatus {
  readonly name: string;
  readonly version: string;
  readonly started_at: string;
  readonly ready: boolean;
  readonly checks: readonly ReadinessCheck[];
  readonly syncer: SyncerStatus;
  readonly server: ServerStatus;
  readonly store: { readonly files: number; readonly bytes: number };
  readonly retention: RetentionStatus;
}

/** The node alone as a cluster of one: itself, leading. */
export function clusterOf(node: NodeInfo): ClusterNode[] {
  const { name, adminUrls } = node;
  const Id = node.id.toString(16);
  return [{ Id, peerURLs: [], name, adminURLs: adminUrls, isLeader: true }];
}

/** The node alone as the only member. */
export function membersOf(node: NodeInfo): ClusterMember[] {
  const { name, adminUrls } = node;
  const Id = node.id.toString();
  return [{ Id, peerURLs: [], name, adminURLs: adminUrls }];
}
