import * as z from "zod";
import type { AdminParts } from "../admin_parts.ts";
import type { AdminRoute } from "../admin_route.ts";
import { failure, success } from "../envelope.ts";
import { parseServerStart, SERVER_START } from "../request_body.ts";
import {
  REPLICA_STATUS,
  SERVER_STATUS,
  serverStatus,
} from "../server_status.ts";
import { NOTHING } from "./nothing.ts";

const KICK_PARAMS = z.object({
  connection_id: z.string().regex(/^[0-9]{1,20}$/, "must be a number").describe(
    "As in `slaves` of the status.",
  ),
});

const KICKED_REPLICA = z.strictObject({
  ...REPLICA_STATUS.unwrap().pick({
    connection_id: true,
    remote: true,
    user: true,
    server_id: true,
    server_uuid: true,
  }).shape,
}).readonly();

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
      method: "DELETE",
      path: "/binlog/server/replicas/{connection_id}",
      subject: "replicas",
      summary: "Ends a replica's connection; answers when it has gone.",
      access: "admin",
      params: KICK_PARAMS,
      answer: KICKED_REPLICA,
      errors: [{ status: 404, when: "no replica has that connection" }],
      handle: async ({ params }) => {
        const id = params["connection_id"]!;
        const replica = await server.kick(id);
        return replica === undefined
          ? failure(404, `there is no replica with connection ${id}`)
          : success({
            connection_id: replica.connectionId,
            remote: replica.remote,
            user: replica.user,
            server_id: Number(replica.serverId),
            server_uuid: replica.uuid,
          });
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
