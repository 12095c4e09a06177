import { listOf } from "../answer_value.ts";
import type { AdminParts } from "../admin_parts.ts";
import type { AdminRoute, RouteMethod } from "../admin_route.ts";
import { failure, success } from "../envelope.ts";
import {
  CLUSTER_MEMBER,
  CLUSTER_NODE,
  clusterOf,
  membersOf,
} from "../node_status.ts";

const ALONE =
  "kingbus: this node runs alone: clusters are not supported, so members can't be changed";

/** What the original kingbus's clusters had; a node runs alone here. */
export function clusterRoutes({ node }: AdminParts): AdminRoute[] {
  return [
    {
      method: "GET",
      path: "/cluster",
      subject: "cluster",
      summary: "This node as a cluster of one, its id in hexadecimal.",
      access: "read",
      answer: listOf(CLUSTER_NODE, "One node."),
      errors: [],
      handle: () => success(clusterOf(node())),
    },
    {
      method: "GET",
      path: "/members",
      subject: "cluster",
      summary: "This node as the only member, its id in decimal.",
      access: "read",
      answer: listOf(CLUSTER_MEMBER, "One node."),
      errors: [],
      handle: () => success(membersOf(node())),
    },
    refused("POST", "/members", "Would add a member."),
    refused("PUT", "/members", "Would change a member."),
    refused("DELETE", "/members", "Would remove a member."),
    refused("PUT", "/admin/url", "Would change a member's admin URL."),
  ];
}

function refused(
  method: RouteMethod,
  path: string,
  summary: string,
): AdminRoute {
  return {
    method,
    path,
    subject: "cluster",
    summary,
    access: "admin",
    answer: undefined,
    errors: [{ status: 501, when: "always: a node runs alone" }],
    handle: () => failure(501, ALONE),
  };
}
