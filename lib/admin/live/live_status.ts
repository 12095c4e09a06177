import * as z from "zod";
import { countNumber, listOf } from "../answer_value.ts";
import { FILE_STATUS } from "../file_status.ts";
import { NODE_STATUS } from "../node_status.ts";
import { LIVE_WARNING } from "./live_warning.ts";

/** A file as the stream tells it: without GTIDs, which can be very long. */
const LIVE_FILE = FILE_STATUS.unwrap().omit({ previous_gtids: true })
  .readonly();

/**
 * `status` of `GET /status/stream`: the answer of `GET /status`, cut to what a
 * page shows, so that a large node costs no more to watch than a small one.
 */
export const LIVE_STATUS = z.strictObject({
  ...NODE_STATUS.unwrap().shape,
  replicas: z.strictObject({
    total: countNumber("Replicas connected."),
    shown: countNumber("Those in `server.slaves`: those furthest behind."),
    sending: countNumber("Those that are sent the log."),
    behind: countNumber("Those that were not sent all there is."),
    lag_seconds: countNumber("Of the last one; null without any.").nullable(),
    bytes_per_second: countNumber("What all of them are sent."),
  }).readonly(),
  files: listOf(
    LIVE_FILE,
    "The newest files, oldest first; `store.files` counts all.",
  ),
  warnings: listOf(LIVE_WARNING, "The newest ones, oldest first."),
}).readonly().meta({ id: "LiveStatus" });

/** The data of {@linkcode LIVE_STATUS}. */
export type LiveStatus = z.output<typeof LIVE_STATUS>;
