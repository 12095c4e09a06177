import * as z from "zod";
import type { StoredFile } from "../store/binlog_store.ts";
import { countNumber, timeText } from "./answer_value.ts";

/** A file of the log in the answer of `GET /binlog/files`. */
export const FILE_STATUS = z.strictObject({
  name: z.string(),
  size: countNumber("Bytes, as far as the file is visible."),
  first_event_time: timeText(
    "By the source's clock; absent when no event says.",
  ).optional(),
  last_event_time: timeText("As `first_event_time`.").optional(),
  closed: z.boolean().describe("False for the file that is being written."),
  server_uuid: z.string().describe(
    "UUID of the server that wrote it; of a MariaDB server `mariadb-` and its server id.",
  ),
  previous_gtids: z.string().describe(
    "The GTIDs of all files before it; in a log of MariaDB the state there.",
  ),
}).readonly().meta({ id: "File" });

/** One of {@linkcode FILE_STATUS}. */
export type FileStatus = z.output<typeof FILE_STATUS>;

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
