import * as z from "zod";
import type { AdminParts, WatchedNode } from "../admin_parts.ts";
import type { AdminRoute } from "../admin_route.ts";
import { listOf } from "../answer_value.ts";
import { envelope, success } from "../envelope.ts";
import { NODE_STATUS, type NodeStatus } from "../node_status.ts";
import {
  checkReadiness,
  READINESS_CHECK,
  type ReadinessCheck,
} from "../readiness.ts";
import { retentionStatus } from "../retention_status.ts";
import { serverStatus } from "../server_status.ts";
import { syncerStatus } from "../syncer_status.ts";

const ALIVE = z.strictObject({ version: z.string() }).readonly();

const READY = z.strictObject({
  ready: z.boolean(),
  checks: listOf(
    READINESS_CHECK,
    "Part by part; left out for who needs a token and shows none.",
  ).optional(),
}).readonly();

/** How the node is, for people, probes and programs. */
export function nodeRoutes(parts: AdminParts): AdminRoute[] {
  return [
    {
      method: "GET",
      path: "/status",
      subject: "node",
      summary: "Node, log, syncer and binlog server in one answer.",
      access: "read",
      answer: NODE_STATUS,
      errors: [],
      handle: () => success(nodeStatus(parts)),
    },
    {
      method: "GET",
      path: "/healthz",
      subject: "node",
      summary: "200 while the process is alive.",
      access: "open",
      answer: ALIVE,
      errors: [],
      handle: () => success({ version: parts.node().version }),
    },
    {
      method: "GET",
      path: "/readyz",
      subject: "node",
      summary: "200 when all that is meant to run runs.",
      access: "open",
      answer: READY,
      errors: [{
        status: 503,
        when: "something that is meant to run does not; `data` says what",
      }],
      handle: ({ granted }) =>
        answerReady(checksOf(parts), { withDetails: granted !== "open" }),
    },
  ];
}

function checksOf(
  { node, syncer, server }: WatchedNode,
): ReadinessCheck[] {
  return checkReadiness(node(), syncer.report(), server.report());
}

/** To who may see nothing it says no more than whether. */
function answerReady(
  checks: readonly ReadinessCheck[],
  { withDetails }: { readonly withDetails: boolean },
): Response {
  if (!withDetails) {
    return checks.every(({ ready }) => ready)
      ? success({ ready: true })
      : envelope(503, { message: "not ready", data: { ready: false } });
  }
  const unready = checks.filter(({ ready }) => !ready);
  if (unready.length === 0) return success({ ready: true, checks });
  const why = unready.map(({ part, detail }) => `${part} ${detail}`);
  return envelope(503, {
    message: `not ready: ${why.join("; ")}`,
    data: { ready: false, checks },
  });
}

/** All there is to say about the node now. */
export function nodeStatus(parts: WatchedNode): NodeStatus {
  const node = parts.node();
  const checks = checksOf(parts);
  return {
    name: node.name,
    version: node.version,
    started_at: node.startedAt.toISOString(),
    admin_token: node.hasAdminToken,
    ready: checks.every(({ ready }) => ready),
    checks,
    syncer: syncerStatus(parts.syncer.report()),
    server: serverStatus(parts.server.report()),
    store: node.stored,
    retention: retentionStatus(parts.retention.report()),
  };
}
