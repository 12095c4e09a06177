import * as z from "zod";
import { countNumber, listOf, timeText } from "../answer_value.ts";

/** How kingbus did at one moment, and since the one before. */
const LIVE_SAMPLE = z.strictObject({
  at: timeText("When, by this machine's clock as it is now."),
  ingest_bytes_per_second: countNumber("What came from the source."),
  sent_bytes_per_second: countNumber("What all replicas were sent."),
  lag_seconds: countNumber(
    "How far the source was ahead; null while that was not known.",
  ).nullable(),
  lag_bytes: countNumber("As `lag_seconds`.").nullable(),
  replica_lag_seconds: countNumber(
    "How far the last of the replicas was behind; null without replicas.",
  ).nullable(),
}).readonly().meta({ id: "Sample" });

/** One of {@linkcode LIVE_SAMPLE}. */
export type LiveSample = z.output<typeof LIVE_SAMPLE>;

/** `data` of `GET /status/history`, and of the stream's first event. */
export const LIVE_HISTORY = z.strictObject({
  interval_ms: countNumber("How far samples are apart."),
  samples: listOf(LIVE_SAMPLE, "The last ten minutes, oldest first."),
}).readonly().meta({ id: "History" });

/** The answer of {@linkcode LIVE_HISTORY}. */
export type LiveHistory = z.output<typeof LIVE_HISTORY>;
