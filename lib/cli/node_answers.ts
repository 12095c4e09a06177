import type { FileStatus } from "../admin/file_status.ts";
import type { NodeStatus } from "../admin/node_status.ts";
import type { PurgeStatus } from "../admin/retention_status.ts";
import type { ServerStatus } from "../admin/server_status.ts";
import type { SyncerStatus } from "../admin/syncer_status.ts";

/*
 * These look at what the commands use, and let everything else be: a node of a
 * later version may answer more than this one knows.
 */

/** Whether that is the answer of `GET /status`. */
export function isNodeStatus(data: unknown): data is NodeStatus {
  return isObject(data) && isSyncerStatus(data["syncer"]) &&
    isServerStatus(data["server"]) && isObject(data["retention"]) &&
    isObject(data["store"]) && Array.isArray(data["checks"]);
}

/** Whether that is the answer of `GET /binlog/syncer/status`. */
export function isSyncerStatus(data: unknown): data is SyncerStatus {
  return isObject(data) && typeof data["state"] === "string" &&
    typeof data["mysql_addr"] === "string";
}

/** Whether that is the answer of `GET /binlog/server/status`. */
export function isServerStatus(data: unknown): data is ServerStatus {
  return isObject(data) && Array.isArray(data["slaves"]) &&
    typeof data["addr"] === "string";
}

/** Whether that is the answer of `GET /binlog/files`. */
export function isFileList(data: unknown): data is readonly FileStatus[] {
  return Array.isArray(data) && data.every((file) => isObject(file));
}

/** Whether that is the answer of `PUT /binlog/purge`. */
export function isPurgeStatus(data: unknown): data is PurgeStatus {
  return isObject(data) && Array.isArray(data["removed"]) &&
    Array.isArray(data["held_back_by"]);
}

/** Whether that is the answer of what only does something: any will do. */
export function isDone(_data: unknown): _data is unknown {
  return true;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
