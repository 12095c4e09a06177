import type { FileStatus } from "../file_status.ts";
import type { NodeStatus } from "../node_status.ts";
import type { ReplicaStatus } from "../server_status.ts";
import type { SyncerStatus } from "../syncer_status.ts";

/** One moment of the last ten minutes; null for what is not known. */
export interface PageSample {
  readonly at: string;
  readonly ingest_bytes_per_second: number | null;
  readonly sent_bytes_per_second: number | null;
  readonly lag_seconds: number | null;
  readonly lag_bytes: number | null;
}

/** Something that was logged as a warning or an error. */
export interface PageWarning {
  readonly at: string;
  readonly level: string;
  readonly message: string;
}

/** A replica with what is known of it only while it is watched. */
export type PageReplica = ReplicaStatus & {
  readonly lag_seconds?: number | null;
  readonly bytes_per_second?: number | null;
};

/** The syncer with the same. */
export type PageSyncer = SyncerStatus & {
  readonly lag_seconds?: number | null;
  readonly lag_bytes?: number | null;
  readonly advice?: string;
};

/** What the page shows. */
export type PageStatus =
  & Omit<NodeStatus, "syncer" | "server">
  & {
    readonly syncer: PageSyncer;
    readonly server: Omit<NodeStatus["server"], "slaves"> & {
      readonly slaves: readonly PageReplica[];
    };
    /** Which tokens the node has. */
    readonly access?: {
      readonly read_token: boolean;
      readonly admin_token: boolean;
    };
    readonly files?: readonly FileStatus[];
    readonly warnings?: readonly PageWarning[];
  };
