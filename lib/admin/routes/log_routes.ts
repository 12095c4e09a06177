import type { AdminParts } from "../admin_parts.ts";
import type { AdminRoute } from "../admin_route.ts";
import { listOf } from "../answer_value.ts";
import { success } from "../envelope.ts";
import { FILE_STATUS, fileStatus } from "../file_status.ts";
import { parsePurge, PURGE } from "../request_body.ts";
import {
  PURGE_STATUS,
  purgeStatus,
  RETENTION_STATUS,
  retentionStatus,
} from "../retention_status.ts";

/** What shows the log's files and removes them. */
export function logRoutes(
  { files, retention, syncer }: AdminParts,
): AdminRoute[] {
  return [
    {
      method: "GET",
      path: "/binlog/files",
      subject: "files",
      summary: "The log's files, oldest first.",
      access: "read",
      answer: listOf(FILE_STATUS, "Oldest first."),
      errors: [],
      handle: () => success(files().map(fileStatus)),
    },
    {
      method: "PUT",
      path: "/binlog/purge",
      subject: "files",
      summary: "Removes old files; says what went and what holds the rest.",
      access: "admin",
      body: PURGE,
      answer: PURGE_STATUS,
      errors: [
        { status: 404, when: "the log has no file of the name in `to`" },
        { status: 503, when: "the store can't remove them" },
      ],
      handle: async (call) => {
        const { target, ...options } = parsePurge(await call.text());
        const outcome = await retention.purge(target, options);
        const { purged } = syncer.report().log;
        return success(
          purgeStatus(outcome, { dryRun: options.dryRun, purged }),
        );
      },
    },
    {
      method: "GET",
      path: "/binlog/retention/status",
      subject: "files",
      summary: "Limits, last purge, what is held back, declared replicas.",
      access: "read",
      answer: RETENTION_STATUS,
      errors: [],
      handle: () => success(retentionStatus(retention.report())),
    },
  ];
}
