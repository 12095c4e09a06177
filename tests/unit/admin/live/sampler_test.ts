import { assertEquals } from "@std/assert";
import { Sampler } from "../../../../lib/admin/live/sampler.ts";
import type { SyncerProgress } from "../../../../lib/syncer/syncer_status.ts";
import type { DumpProgress } from "../../../../lib/server/dump_progress.ts";
import { FakeClock } from "./fake_clock.ts";

function startSampler() {
  const clock = new FakeClock();
  const source: {
    -readonly [Key in keyof SyncerProgress]: SyncerProgress[Key];
  } = { bytesReceived: 1_000_000 };
  const server = { bytesSent: 2_000_000, dumps: [] as DumpProgress[] };
  const looks: (readonly DumpProgress[])[] = [];
  const sampler = new Sampler({
    source: () => source,
    server: () => server,
    rates: { look: (dumps) => void looks.push([...dumps as DumpProgress[]]) },
    monotonicMs: clock.monotonicMs,
    now: clock.now,
    every: clock.every,
  });
  return { clock, source, server, looks, sampler };
}

Deno.test("Sampler keeps rates and lag, every two seconds", () => {
  const { clock, source, server, sampler, looks } = startSampler();
  assertEquals(sampler.history(), { interval_ms: 2000, samples: [] });
  assertEquals(sampler.newest, undefined);
  source.bytesReceived += 3000;
  server.bytesSent += 5001;
  source.secondsBehind = 4;
  source.bytesBehind = 77;
  const nowS = Math.floor((clock.now() + 2000) / 1000);
  server.dumps = [
    { connectionId: 1, bytesSent: 5001, unsentSince: nowS - 9 },
    { connectionId: 2, bytesSent: 0, unsentSince: 0 },
    { connectionId: 3, bytesSent: 0, unsentSince: undefined },
  ];
  clock.advance(2000);
  const first = {
    at: "2023-11-14T22:13:27.000Z",
    ingest_bytes_per_second: 1500,
    sent_bytes_per_second: 2501,
    lag_seconds: 4,
    lag_bytes: 77,
    replica_lag_seconds: 9,
  };
  assertEquals(sampler.newest, first);
  assertEquals(looks, [server.dumps]);
  delete source.secondsBehind;
  delete source.bytesBehind;
  server.dumps = [];
  clock.advance(2000);
  assertEquals(sampler.history().samples, [first, {
    at: "2023-11-14T22:13:29.000Z",
    ingest_bytes_per_second: 0,
    sent_bytes_per_second: 0,
    lag_seconds: null,
    lag_bytes: null,
    replica_lag_seconds: null,
  }]);
});

Deno.test("Sampler keeps ten minutes, and no more", () => {
  const { clock, sampler } = startSampler();
  clock.advance(3_600_000);
  const { samples, interval_ms } = sampler.history();
  assertEquals(samples.length * interval_ms, 600_000);
  assertEquals(sampler.taken, 1800);
  assertEquals(
    Date.parse(samples.at(-1)!.at) - Date.parse(samples[0]!.at),
    598_000,
  );
});

Deno.test("Sampler counts by the time that went by when it comes late", () => {
  const { clock, source, sampler } = startSampler();
  source.bytesReceived += 90_000;
  clock.block(18_000);
  clock.advance(0);
  assertEquals(sampler.newest?.ingest_bytes_per_second, 5000);
  source.bytesReceived += 1000;
  clock.advance(2000);
  assertEquals(sampler.newest?.ingest_bytes_per_second, 500);
});

Deno.test("Sampler is not misled by a clock that is set", () => {
  const { clock, source, sampler } = startSampler();
  clock.advance(4000);
  for (const aheadMs of [-86_400_000, 86_400_000]) {
    source.bytesReceived += 4000;
    clock.wallAheadMs += aheadMs;
    clock.advance(2000);
    assertEquals(sampler.newest?.ingest_bytes_per_second, 2000);
    const times = sampler.history().samples.map(({ at }) => Date.parse(at));
    assertEquals(times.at(-1), clock.now());
    for (let at = 1; at < times.length; at++) {
      assertEquals(times[at]! - times[at - 1]!, 2000);
    }
  }
});

Deno.test("Sampler takes counters that begin anew for a pause", () => {
  const { clock, source, server, sampler } = startSampler();
  source.bytesReceived = 0;
  server.bytesSent = 10;
  clock.advance(2000);
  assertEquals(sampler.newest?.ingest_bytes_per_second, 0);
  assertEquals(sampler.newest?.sent_bytes_per_second, 0);
});

Deno.test("Sampler leaves no timer behind", () => {
  const { clock, sampler } = startSampler();
  assertEquals(clock.timers, 1);
  sampler[Symbol.dispose]();
  assertEquals(clock.timers, 0);
});
