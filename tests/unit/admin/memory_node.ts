import type { AdminParts } from "../../../lib/admin/admin_parts.ts";
import type { NodeInfo } from "../../../lib/admin/control.ts";
import {
  listFiles,
  MemoryRetentionControl,
  MemoryServerControl,
  MemorySyncerControl,
  NO_METRICS,
  NODE,
  QUIET_LIVE,
} from "./memory_controls.ts";

/** A node whose parts only remember what they were told. */
export class MemoryNode implements AdminParts {
  readonly syncer = new MemorySyncerControl();
  readonly server = new MemoryServerControl();
  readonly retention = new MemoryRetentionControl();
  files: AdminParts["files"] = listFiles;
  readonly node: () => NodeInfo;
  readonly live = QUIET_LIVE;
  readonly metrics = NO_METRICS;

  /** @param info who it is */
  constructor(info: NodeInfo = NODE) {
    this.node = () => info;
  }
}
