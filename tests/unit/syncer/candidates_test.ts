import { assertEquals } from "@std/assert";
import { Candidates } from "../../../lib/syncer/candidates.ts";
import {
  retryAfter,
  type SyncerCause,
} from "../../../lib/syncer/syncer_cause.ts";
import type { SyncerFault } from "../../../lib/syncer/syncer_fault.ts";

/** Candidates on ports 1, 2, … and a clock that a test moves. */
class Bench {
  now = 1000;
  readonly candidates: Candidates;

  constructor(count: number, switchAfterMs: number, followed?: string) {
    this.candidates = new Candidates({
      addresses: Array.from({ length: count }, (_, index) => ({
        hostname: "db",
        port: index + 1,
      })),
      followed,
      switchAfterMs,
      now: () => this.now,
    });
  }

  get port(): number {
    return this.candidates.current.port;
  }

  fails(cause: SyncerCause): [retry: string, waitMsMax: number, port: number] {
    const { retry, waitMsMax } = this.candidates.failed(fault(cause));
    return [retry, waitMsMax, this.port];
  }
}

function fault(cause: SyncerCause): SyncerFault {
  return { cause, reason: `it is ${cause}`, retry: retryAfter(cause) };
}

Deno.test("Candidates of one do as the fault says", () => {
  const bench = new Bench(1, 0);
  assertEquals(bench.fails("unreachable"), ["soon", Infinity, 1]);
  assertEquals(bench.fails("refused"), ["slowly", Infinity, 1]);
  assertEquals(bench.fails("reset"), ["never", Infinity, 1]);
});

Deno.test("Candidates waits for the followed one as long as it may be lost", () => {
  const bench = new Bench(3, 500);
  assertEquals(bench.fails("lost"), ["soon", 500, 1]);
  bench.now += 300;
  assertEquals(bench.fails("unreachable"), ["soon", 200, 1]);
  bench.now += 200;
  assertEquals(bench.fails("unreachable"), ["now", 0, 2]);
  assertEquals(bench.fails("unreachable"), ["now", 0, 3]);
  assertEquals(bench.fails("behind"), ["soon", Infinity, 1]);
  // the next round, with the followed one first and no further waiting
  assertEquals(bench.fails("unreachable"), ["now", 0, 2]);
});

Deno.test("Candidates forgets a loss that was over", () => {
  const bench = new Bench(2, 500);
  bench.fails("lost");
  bench.now += 400;
  bench.candidates.followed();
  bench.now += 400;
  assertEquals(bench.fails("lost"), ["soon", 500, 1]);
});

Deno.test("Candidates does not wait for what can't be followed any more", () => {
  const bench = new Bench(2, 60_000);
  assertEquals(bench.fails("reset"), ["now", 0, 2]);
  bench.candidates.followed();
  assertEquals(bench.candidates.status(), [
    {
      address: "db:1",
      followed: false,
      cause: "reset",
      reason: "it is reset",
      failedAt: new Date(1000),
    },
    { address: "db:2", followed: true },
  ]);
  assertEquals(bench.candidates.fault, undefined);
});

Deno.test("Candidates keeps to the one it changed to, and comes back in its turn", () => {
  const bench = new Bench(3, 0);
  assertEquals(bench.fails("lost"), ["now", 0, 2]);
  bench.candidates.followed();
  assertEquals(bench.fails("lost"), ["now", 0, 1]);
  assertEquals(bench.fails("behind"), ["now", 0, 3]);
  assertEquals(bench.fails("unreachable"), ["soon", Infinity, 2]);
});

Deno.test("Candidates asks one that refused seldom", () => {
  const bench = new Bench(3, 0);
  assertEquals(bench.fails("lost"), ["now", 0, 2]);
  assertEquals(bench.fails("refused"), ["now", 0, 3]);
  assertEquals(bench.fails("errant"), ["soon", Infinity, 1]);
  bench.now += 30_000;
  assertEquals(bench.fails("unreachable"), ["soon", Infinity, 1]);
  bench.now += 31_000;
  assertEquals(bench.fails("unreachable"), ["now", 0, 2]);
});

Deno.test("Candidates gives up when none can ever be followed", () => {
  const bench = new Bench(2, 0);
  assertEquals(bench.fails("purged"), ["now", 0, 2]);
  assertEquals(bench.fails("errant")[0], "never");
  assertEquals(bench.candidates.fault?.cause, "purged");
});

Deno.test("Candidates begins with the one that was followed last", () => {
  assertEquals(new Bench(3, 0, "db:2").port, 2);
  assertEquals(new Bench(3, 0, "elsewhere:2").port, 1);
});

Deno.test("Candidates has each address once", () => {
  const address = { hostname: "db", port: 1 };
  const candidates = new Candidates({
    addresses: [address, { hostname: "db", port: 2 }, address],
    followed: undefined,
    switchAfterMs: 0,
    now: () => 0,
  });
  assertEquals(candidates.status().map((one) => one.address), ["db:1", "db:2"]);
});
