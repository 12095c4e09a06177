import * as z from "zod";
import { countNumber, listOf, timeText } from "./answer_value.ts";
import type { NodeInfo } from "./control.ts";
import { READINESS_CHECK } from "./readiness.ts";
import { RETENTION_STATUS } from "./retention_status.ts";
import { SERVER_STATUS } from "./server_status.ts";
import { SYNCER_STATUS } from "./syncer_status.ts";

/** A node in the answers of `/members`. */
export const CLUSTER_MEMBER = z.strictObject({
  Id: z.string().describe("64 bits: decimal in `/members`, else hexadecimal."),
  peerURLs: listOf(z.string(), "Empty: a node runs alone."),
  name: z.string(),
  adminURLs: listOf(z.string(), "Where its admin API is reached."),
}).readonly();

/** One of {@linkcode CLUSTER_MEMBER}. */
export type ClusterMember = z.output<typeof CLUSTER_MEMBER>;

/** A node in the answers of `/cluster`. */
export const CLUSTER_NODE = z.strictObject({
  ...CLUSTER_MEMBER.unwrap().shape,
  isLeader: z.boolean(),
}).readonly();

/** One of {@linkcode CLUSTER_NODE}. */
export type ClusterNode = z.output<typeof CLUSTER_NODE>;

/** `data` of `GET /status`: all there is to say about the node, at once. */
export const NODE_STATUS = z.strictObject({
  name: z.string(),
  version: z.string(),
  started_at: timeText("When this process was started."),
  admin_token: z.boolean().describe(
    "Whether there is an admin token, without which no page may change anything.",
  ),
  ready: z.boolean().describe("Whether all of `checks` are."),
  checks: listOf(READINESS_CHECK, "Part by part."),
  syncer: SYNCER_STATUS,
  server: SERVER_STATUS,
  store: z.strictObject({
    files: countNumber("Files of the log."),
    bytes: countNumber("Their bytes."),
  }).readonly(),
  retention: RETENTION_STATUS,
}).readonly().meta({ id: "NodeStatus" });

/** The answer of {@linkcode NODE_STATUS}. */
export type NodeStatus = z.output<typeof NODE_STATUS>;

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
