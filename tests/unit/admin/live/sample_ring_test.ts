import { assertEquals } from "@std/assert";
import {
  type RingSample,
  SampleRing,
} from "../../../../lib/admin/live/sample_ring.ts";

function sample(atMs: number): RingSample {
  return {
    atMs,
    ingestBytesPerSecond: atMs + 1,
    sentBytesPerSecond: atMs + 2,
    lagSeconds: NaN,
    lagBytes: 2 ** 52 + atMs,
    replicaLagSeconds: atMs + 4,
  };
}

Deno.test("SampleRing keeps the newest samples, oldest first, as they were", () => {
  const ring = new SampleRing(3);
  assertEquals([...ring.samples()], []);
  assertEquals(ring.newest, undefined);
  const pushed: RingSample[] = [];
  for (let at = 0; at < 10; at++) {
    ring.push(sample(at));
    pushed.push(sample(at));
    assertEquals([...ring.samples()], pushed.slice(-3));
    assertEquals(ring.newest, sample(at));
    assertEquals(ring.length, Math.min(at + 1, 3));
    assertEquals(ring.pushed, at + 1);
  }
});
