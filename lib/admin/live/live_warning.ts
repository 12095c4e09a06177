import * as z from "zod";
import { countNumber, timeText } from "../answer_value.ts";

/** Something that was logged as a warning or an error, once or more often. */
export const LIVE_WARNING = z.strictObject({
  id: countNumber(
    "The same however often it is said, so that it can be put in the place of itself.",
  ),
  level: z.enum(["warn", "error"]),
  message: z.string(),
  fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .readonly().describe("What the log's line has besides, of the newest one."),
  at: timeText("When it was said last."),
  first_at: timeText("When it was said first."),
  count: countNumber("How often it was said."),
}).readonly().meta({ id: "Warning" });

/** One of {@linkcode LIVE_WARNING}. */
export type LiveWarning = z.output<typeof LIVE_WARNING>;
