import { Admission } from "../../../lib/admin/access/admission.ts";
import { AdminApi } from "../../../lib/admin/admin_api.ts";
import { adminRoutes } from "../../../lib/admin/admin_routes.ts";
import type { Terminal } from "../../../lib/cli/terminal.ts";
import { silentLog } from "../../../lib/log/log.ts";
import { MemoryNode } from "../admin/memory_node.ts";

/** The admin API of a node whose parts only remember what they were told. */
export interface RunningNode
  extends Pick<MemoryNode, "syncer" | "server" | "retention"> {
  /** URLs that were asked for. */
  readonly asked: string[];
  readonly fetch: Terminal["fetch"];
}

/** Starts one; nothing of it has to be ended. */
export function runningNode(): RunningNode {
  const asked: string[] = [];
  const node = new MemoryNode();
  const { syncer, server, retention } = node;
  const api = new AdminApi({
    routes: adminRoutes(node),
    admission: new Admission({ hosts: ["db1"], log: silentLog() }),
    log: silentLog(),
  });
  const fetch: Terminal["fetch"] = async (url, signal, request = {}) => {
    asked.push(url);
    const { ca: _, headers = {}, ...init } = request;
    return await api.handle(new Request(url, { ...init, headers, signal }));
  };
  return { asked, fetch, syncer, server, retention };
}
