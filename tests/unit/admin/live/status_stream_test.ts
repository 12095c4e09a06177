import { assert, assertEquals } from "@std/assert";
import { AdminApi } from "../../../../lib/admin/admin_api.ts";
import { everyInterval } from "../../../../lib/admin/live/every.ts";
import { LiveFeed } from "../../../../lib/admin/live/live_feed.ts";
import type { LiveStatus } from "../../../../lib/admin/live/live_status.ts";
import { RecentWarnings } from "../../../../lib/admin/live/recent_warnings.ts";
import { liveRoutes } from "../../../../lib/admin/routes/live_routes.ts";
import { openLog } from "../../../../lib/log/log.ts";
import { waitUntil } from "../../../../scripts/test_servers/wait_until.ts";
import { StatusStream } from "../../../support/status_stream.ts";

/** A second of the stream takes a twentieth of one. */
const QUICKLY = 20;

/** Events that one reader is sent. */
const EVENTS = 2_000;

/** So large that no socket takes many of them. */
const STATUS_BYTES = 1_000_000;

/** A node with a large status, that listens. */
async function listen({ statusBytes = STATUS_BYTES, quickly = QUICKLY } = {}) {
  const lines: string[] = [];
  const log = openLog({
    level: "debug",
    format: "text",
    write: (line) => void lines.push(line),
  });
  let made = 0;
  const warnings = new RecentWarnings(Date.now);
  const feed = new LiveFeed({
    sampler: {
      taken: 0,
      newest: undefined,
      history: () => ({ interval_ms: 2000, samples: [] }),
    },
    warnings,
    status: () =>
      ({ name: `${made++} `.padEnd(statusBytes, "x") }) as LiveStatus,
    monotonicMs: () => performance.now() * quickly,
    every: (ms, act) => everyInterval(ms / quickly, act),
    // Ten minutes are over soon by that clock.
    readMsMax: Infinity,
    log,
  });
  const api = new AdminApi({
    routes: liveRoutes({
      live: {
        sampler: { history: () => ({ interval_ms: 2000, samples: [] }) },
        warnings,
        feed,
      },
    }),
    log,
  });
  const { port } = await api.listen({ hostname: "127.0.0.1", port: 0 });
  return { feed, api, port, lines };
}

/** A client that asks and never reads. */
async function askAndForget(port: number): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(
    new TextEncoder().encode(
      "GET /status/stream HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
  );
  return conn;
}

/** Reads all there is; answers how much, once the other side has ended it. */
async function readToEnd(conn: Deno.TcpConn): Promise<number> {
  const buffer = new Uint8Array(1 << 20);
  let bytes = 0;
  try {
    for (;;) {
      const count = await conn.read(buffer);
      if (count === null) return bytes;
      bytes += count;
    }
  } catch (error) {
    assert(error instanceof Deno.errors.ConnectionReset, String(error));
    return bytes;
  }
}

Deno.test("GET /status/stream cuts off who never reads, and closes the connection", async () => {
  const { feed, api, port, lines } = await listen();
  await using _api = api;
  using stuck = await askAndForget(port);
  await using reader = await StatusStream.open(`http://127.0.0.1:${port}`);
  await waitUntil("both read", () => feed.readers === 2);
  await waitUntil("one was cut off", async () => {
    await reader.next();
    return feed.readers === 1;
  }, { deadlineMs: 30_000, intervalMs: 1 });
  // it ends by itself: nothing more is to come, and nothing is held open
  await readToEnd(stuck);
  // who reads is none the worse
  await reader.until(({ name }) => name === "status", "it went on");
  const text = lines.join("");
  assertEquals(text.split("took nothing for").length, 2, text);
  assert(!/\n\s+at /.test(text), "no stack trace");
});

Deno.test("GET /status/stream holds no more for who never reads than sockets do", async () => {
  const { feed, api, port } = await listen();
  await using _api = api;
  const stuck = await Promise.all(
    Array.from({ length: 32 }, () => askAndForget(port)),
  );
  await waitUntil("all are there", () => feed.readers === 32);
  const refused = await fetch(`http://127.0.0.1:${port}/status/stream`);
  assertEquals(refused.status, 503);
  assertEquals(
    (await refused.json()).message,
    "32 status streams are read already: close some",
  );
  await waitUntil("all were cut off", () => feed.readers === 0, {
    deadlineMs: 30_000,
  });
  await Promise.all(stuck.map(async (conn) => {
    await readToEnd(conn);
    conn.close();
  }));
});

Deno.test("GET /status/stream goes on for thousands of events, none of them lost", async () => {
  const { api, port } = await listen({ statusBytes: 10_000, quickly: 1000 });
  await using _api = api;
  await using reader = await StatusStream.open(`http://127.0.0.1:${port}`);
  let lastId = 0;
  for (let count = 0; count < EVENTS; count++) {
    const event = await reader.next();
    assert(event !== undefined, `it ended after ${count} events`);
    assert(event.id > lastId, `${event.id} after ${lastId}`);
    lastId = event.id;
  }
  await api.close();
  while (await reader.next() !== undefined);
});
