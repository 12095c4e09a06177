import * as z from "zod";
import type { AdminParts } from "../admin_parts.ts";
import type { AdminRoute } from "../admin_route.ts";
import { listOf } from "../answer_value.ts";
import { failure, success } from "../envelope.ts";
import { READERS_MAX } from "../live/live_feed.ts";
import { LIVE_HISTORY } from "../live/live_sample.ts";
import { LIVE_WARNING } from "../live/live_warning.ts";

const STREAM_HEADERS = {
  "content-type": "text/event-stream",
  // Neither a proxy nor the server itself may hold it back to compress it.
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no",
  "x-content-type-options": "nosniff",
};

const REFUSALS = {
  full: `${READERS_MAX} status streams are read already: close some`,
  closed: "kingbus is stopping",
};

/** How the node does, now and in the last ten minutes. */
export function liveRoutes(
  { live }: Pick<AdminParts, "live">,
): AdminRoute[] {
  const { sampler, warnings, feed } = live;
  return [
    {
      method: "GET",
      path: "/status/history",
      subject: "node",
      summary: "Rates and lag of the last ten minutes.",
      access: "read",
      answer: LIVE_HISTORY,
      errors: [],
      handle: () => success(sampler.history()),
    },
    {
      method: "GET",
      path: "/status/warnings",
      subject: "node",
      summary: "What was logged lately as a warning or an error.",
      access: "read",
      answer: listOf(LIVE_WARNING, "The hundred newest, the newest last."),
      errors: [],
      handle: () => success(warnings.list()),
    },
    {
      method: "GET",
      path: "/status/stream",
      subject: "node",
      summary: "All of that as it changes, as server-sent events.",
      access: "read",
      query: z.strictObject({}),
      answer: {
        mediaType: "text/event-stream",
        about:
          "`history` and `status` first; then each second what is new: `warning`, `sample`, `status`.",
      },
      errors: [{ status: 503, when: "32 are read already, or it is stopping" }],
      handle: ({ closing }) => {
        const body = feed.open(closing);
        return typeof body === "string"
          ? failure(503, REFUSALS[body], { "retry-after": "10" })
          : new Response(body, { headers: STREAM_HEADERS });
      },
    },
  ];
}
