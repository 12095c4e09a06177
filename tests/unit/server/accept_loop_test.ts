import { assert, assertEquals } from "@std/assert";
import { silentLog } from "../../../lib/log/log.ts";
import { acceptConnections } from "../../../lib/server/accept_loop.ts";

Deno.test("acceptConnections() goes on after failures, with pauses and one line", async () => {
  const stop = new AbortController();
  const errors: string[] = [];
  const opened: number[] = [];
  let calls = 0;
  const startedMs = performance.now();
  await acceptConnections(
    {
      accept: () => {
        calls += 1;
        if (calls <= 3) return Promise.reject(new TypeError("no descriptors"));
        return Promise.resolve(calls);
      },
    },
    (connection) => {
      opened.push(connection);
      stop.abort();
    },
    { ...silentLog(), error: (message) => void errors.push(message) },
    stop.signal,
  );
  assertEquals(opened, [4]);
  assertEquals(errors.length, 1);
  // 10 + 20 + 40 ms of pauses
  assert(performance.now() - startedMs >= 60);
});

Deno.test("acceptConnections() stops in the middle of a pause", async () => {
  const stop = new AbortController();
  let calls = 0;
  const done = acceptConnections(
    {
      accept: () => {
        calls += 1;
        if (calls === 6) queueMicrotask(() => stop.abort());
        return Promise.reject(new TypeError("no descriptors"));
      },
    },
    () => {},
    silentLog(),
    stop.signal,
  );
  await done;
  assertEquals(calls, 6);
});
