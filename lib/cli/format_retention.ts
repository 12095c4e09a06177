import type { HoldStatus, RetentionStatus } from "../admin/retention_status.ts";
import { formatDuration } from "../config/duration.ts";
import { formatSize } from "../config/size.ts";
import { formatBytes } from "./format_bytes.ts";

/** How retention stands, in lines for people. */
export function retentionLines(status: RetentionStatus): string[] {
  const { held_back: held, last_purge: last } = status;
  const lines = [limitsLine(status)];
  if (status.failure !== undefined) {
    lines.push(`the last check failed: ${status.failure}`);
  }
  if (last !== undefined) {
    const why = last.limits.length === 0 ? "by hand" : last.limits.join(", ");
    lines.push(
      `purged ${filesText(last.files)}, ${
        formatBytes(last.bytes)
      }, to ${last.last} at ${last.at} (${why})`,
    );
  }
  if (held !== undefined) {
    lines.push(
      `not kept since ${held.since}: ${held.limits.join(", ")}; ${
        filesText(held.files)
      }, ${formatBytes(held.bytes)} should go`,
      ...held.by.map((hold) =>
        `${describeHoldStatus(hold)}, since ${hold.since}`
      ),
    );
  }
  return [...lines, ...status.replicas.map(replicaLine)];
}

/** In words, why a replica keeps a file from being removed. */
export function describeHoldStatus(hold: HoldStatus): string {
  const id = hold.uuid === "" || hold.uuid === hold.name
    ? ""
    : ` (${hold.uuid})`;
  if (hold.kind === "connected") {
    return `connection ${hold.connection_id} from ${hold.name}${id} is at ${hold.file}:${hold.position}`;
  }
  return hold.file === ""
    ? `replica ${hold.name}${id} has never connected and needs everything`
    : `replica ${hold.name}${id} needs ${hold.file}:${hold.position}`;
}

function limitsLine({ limits, free_bytes: free }: RetentionStatus): string {
  const texts = [
    limits.bytes === undefined ? "" : `size ${formatSize(limits.bytes)}`,
    limits.age_ms === undefined ? "" : `age ${formatDuration(limits.age_ms)}`,
    limits.files === undefined ? "" : `${limits.files} files`,
    limits.free_disk_bytes === undefined
      ? ""
      : `free disk ${formatSize(limits.free_disk_bytes)}${
        free === undefined ? "" : ` (${formatBytes(free)} now)`
      }`,
  ].filter((text) => text !== "");
  return texts.length === 0 ? "everything" : texts.join(", ");
}

/** In words, what a replica of `retention.replicas` needs. */
export function replicaLine(
  replica: RetentionStatus["replicas"][number],
): string {
  const { name, uuid, connected, lost, file, position, noted_at } = replica;
  const id = name === uuid ? name : `${name} (${uuid})`;
  const where = connected ? "connected" : "away";
  if (file === undefined) {
    return `${id}: ${where}, never seen: needs everything`;
  }
  const what = lost ? "was purged by force" : `noted ${noted_at}`;
  return `${id}: ${where}, needs ${file}:${position}, ${what}`;
}

function filesText(files: number): string {
  return files === 1 ? "1 file" : `${files} files`;
}
