import type { AdminParts } from "../admin_parts.ts";
import type { AdminRoute } from "../admin_route.ts";
import { success } from "../envelope.ts";
import { parseSyncerStart, SYNCER_START } from "../request_body.ts";
import { SYNCER_STATUS, syncerStatus } from "../syncer_status.ts";
import { NOTHING } from "./nothing.ts";

/** What steers and shows the following of the source. */
export function syncerRoutes({ syncer }: AdminParts): AdminRoute[] {
  return [
    {
      method: "PUT",
      path: "/binlog/syncer/start",
      subject: "source",
      summary: "Follows a source, now and after every restart.",
      access: "admin",
      body: SYNCER_START,
      answer: NOTHING,
      errors: [
        { status: 400, when: "there is no source to follow" },
        { status: 409, when: "it follows that one already" },
        { status: 503, when: "the store can't keep it" },
      ],
      handle: async (call) => {
        await syncer.start(parseSyncerStart(await call.text()));
        return success("");
      },
    },
    {
      method: "PUT",
      path: "/binlog/syncer/stop",
      subject: "source",
      summary: "Stops following; stays stopped over restarts.",
      access: "admin",
      answer: NOTHING,
      errors: [{ status: 503, when: "the store can't keep it" }],
      handle: async () => {
        await syncer.stop();
        return success("");
      },
    },
    {
      method: "GET",
      path: "/binlog/syncer/status",
      subject: "source",
      summary: "State, cause, reason, source, file, position, GTID sets.",
      access: "read",
      answer: SYNCER_STATUS,
      errors: [],
      handle: () => success(syncerStatus(syncer.report())),
    },
  ];
}
