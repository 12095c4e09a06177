import type { AdminParts } from "../admin_parts.ts";
import type { AdminRoute } from "../admin_route.ts";
import { success } from "../envelope.ts";
import { parseServerStart, SERVER_START } from "../request_body.ts";
import { SERVER_STATUS, serverStatus } from "../server_status.ts";
import { NOTHING } from "./nothing.ts";

/** What steers and shows the binlog server and its replicas. */
export function serverRoutes({ server }: AdminParts): AdminRoute[] {
  return [
    {
      method: "PUT",
      path: "/binlog/server/start",
      subject: "replicas",
      summary: "Serves replicas, now and after every restart.",
      access: "admin",
      body: SERVER_START,
      answer: NOTHING,
      errors: [
        { status: 409, when: "it runs already" },
        { status: 503, when: "it can't listen there" },
      ],
      handle: async (call) => {
        await server.start(parseServerStart(await call.text()));
        return success("");
      },
    },
    {
      method: "PUT",
      path: "/binlog/server/stop",
      subject: "replicas",
      summary: "Ends the replicas' connections; stays stopped over restarts.",
      access: "admin",
      answer: NOTHING,
      errors: [{ status: 503, when: "the store can't keep it" }],
      handle: async () => {
        await server.stop();
        return success("");
      },
    },
    {
      method: "GET",
      path: "/binlog/server/status",
      subject: "replicas",
      summary: "Address, users, and each replica with file and position.",
      access: "read",
      answer: SERVER_STATUS,
      errors: [],
      handle: () => success(serverStatus(server.report())),
    },
  ];
}
