import type {
  NodeInfo,
  RetentionControl,
  ServerControl,
  SyncerControl,
} from "./control.ts";
import type { ListedFile } from "./file_status.ts";

/** What the admin API's routes show and steer. */
export interface AdminParts {
  readonly syncer: SyncerControl;
  readonly server: ServerControl;
  readonly retention: RetentionControl;
  /** The files of the log, oldest first; asked anew for each answer. */
  readonly files: () => readonly ListedFile[];
  /** Asked anew for each answer. */
  readonly node: () => NodeInfo;
}
