import { Admission } from "../../../lib/admin/access/admission.ts";
import { AdminApi } from "../../../lib/admin/admin_api.ts";
import { adminRoutes } from "../../../lib/admin/admin_routes.ts";
import type { Terminal } from "../../../lib/cli/terminal.ts";
import { silentLog } from "../../../lib/log/log.ts";
import {
  listFiles,
  MemoryRetentionControl,
  MemoryServerControl,
  MemorySyncerControl,
  NO_METRICS,
  NODE,
  QUIET_LIVE,
} from "../admin/memory_controls.ts";

/** The admin API of a node whose parts only remember what they were told. */
export interface RunningNode {
  /** URLs that were asked for. */
  readonly asked: string[];
  readonly fetch: Terminal["fetch"];
  readonly syncer: MemorySyncerControl;
  readonly server: MemoryServerControl;
  readonly retention: MemoryRetentionControl;
}

/** Starts one; nothing of it has to be ended. */
export function runningNode(): RunningNode {
  const asked: string[] = [];
  const syncer = new MemorySyncerControl();
  const server = new MemoryServerControl();
  const retention = new MemoryRetentionControl();
  const api = new AdminApi({
    routes: adminRoutes({
      live: QUIET_LIVE,
      metrics: NO_METRICS,
      syncer,
      server,
      retention,
      files: listFiles,
      node: () => NODE,
    }),
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
