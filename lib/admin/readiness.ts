import * as z from "zod";
import type { NodeInfo, ServerReport, SyncerReport } from "./control.ts";

/** Whether one part does what it is meant to do. */
export const READINESS_CHECK = z.strictObject({
  part: z.enum(["node", "syncer", "server"]),
  ready: z.boolean(),
  detail: z.string().describe(
    "What it does, or why it does not do what it should.",
  ),
}).readonly();

/** One of {@linkcode READINESS_CHECK}. */
export type ReadinessCheck = z.output<typeof READINESS_CHECK>;

/**
 * Compares what should run with what runs. A part that is stopped on purpose is
 * ready: only what is meant to run and does not makes a node unready.
 */
export function checkReadiness(
  node: NodeInfo,
  syncer: SyncerReport,
  server: ServerReport,
): ReadinessCheck[] {
  return [checkNode(node), checkSyncer(syncer), checkServer(server)];
}

function checkNode({ draining }: NodeInfo): ReadinessCheck {
  const detail = draining ?? "running";
  return { part: "node", ready: draining === undefined, detail };
}

function checkSyncer(report: SyncerReport): ReadinessCheck {
  const followed = report.candidates.find((candidate) => candidate.followed);
  const address = followed?.address ?? report.target?.address ?? "no source";
  if (!report.wanted) {
    const detail = report.target === undefined
      ? "has no source to follow"
      : "stopped on purpose";
    return { part: "syncer", ready: true, detail };
  }
  if (report.state === "following") {
    return { part: "syncer", ready: true, detail: `following ${address}` };
  }
  const why = report.reason === undefined ? "" : `: ${report.reason}`;
  const detail = `${report.state}, not following ${address}${why}`;
  return { part: "syncer", ready: false, detail };
}

function checkServer(report: ServerReport): ReadinessCheck {
  if (!report.wanted) {
    return { part: "server", ready: true, detail: "stopped on purpose" };
  }
  if (report.state === "running") {
    const detail = `listening on ${report.listen}`;
    return { part: "server", ready: true, detail };
  }
  const why = report.reason === undefined ? "" : `: ${report.reason}`;
  const detail = `not listening on ${report.listen}${why}`;
  return { part: "server", ready: false, detail };
}
