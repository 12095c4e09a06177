import type { StoredFile } from "../store/binlog_store.ts";

/** A file of the log in the answer of `GET /binlog/files`. */
export interface FileStatus {
  readonly name: string;
  /** Bytes, as far as the file is visible. */
  readonly size: number;
  /** RFC 3339; absent when no event says. */
  readonly first_event_time?: string | undefined;
  readonly last_event_time?: string | undefined;
  /** False for the file that is being written. */
  readonly closed: boolean;
  /** UUID of the server that wrote it; of a MariaDB server `mariadb-` and its server id. */
  readonly server_uuid: string;
  /** The GTIDs of all files before it; in a log of MariaDB the state there. */
  readonly previous_gtids: string;
}

/** The part of a file that the answer is made from. */
export type ListedFile = Pick<
  StoredFile,
  | "name"
  | "size"
  | "closed"
  | "serverUuid"
  | "firstTimestamp"
  | "lastTimestamp"
  | "previousGtids"
  | "mariadbStart"
>;

/** The answer for a file. */
export function fileStatus(file: ListedFile): FileStatus {
  return {
    name: file.name,
    size: file.size,
    first_event_time: timeOf(file.firstTimestamp),
    last_event_time: timeOf(file.lastTimestamp),
    closed: file.closed,
    server_uuid: file.serverUuid,
    previous_gtids: (file.mariadbStart ?? file.previousGtids).toString(),
  };
}

function timeOf(timestamp: number): string | undefined {
  return timestamp === 0 ? undefined : new Date(timestamp * 1000).toISOString();
}
