import { assertEquals } from "@std/assert";
import { ReplicaRates } from "../../../../lib/admin/live/replica_rates.ts";

Deno.test("ReplicaRates counts from the begin until it has looked, then over ten seconds", () => {
  let ms = 0;
  const rates = new ReplicaRates(() => ms);
  const sent = (bytesSent: number) => ({ connectionId: 1, bytesSent });
  assertEquals(rates.rateOf(sent(6000), 3000), 2000);
  // of the first moments a buffer would look like a torrent
  assertEquals(rates.rateOf(sent(6000), 1), 6000);

  const seen: number[] = [];
  for (let second = 0; second <= 30; second += 2) {
    ms = second * 1000;
    // 100 bytes a second, and none after 20 seconds
    const bytes = 100 * Math.min(second, 20);
    seen.push(rates.rateOf(sent(bytes), ms));
    rates.look([sent(bytes)]);
  }
  assertEquals(seen, [
    ...[0, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100],
    ...[80, 60, 40, 20, 0],
  ]);
});

Deno.test("ReplicaRates forgets who has gone", () => {
  let ms = 0;
  const rates = new ReplicaRates(() => ms);
  rates.look([{ connectionId: 1, bytesSent: 1_000_000 }]);
  ms = 2000;
  rates.look([{ connectionId: 2, bytesSent: 0 }]);
  ms = 4000;
  // the same id once more, four billion connections later
  assertEquals(rates.rateOf({ connectionId: 1, bytesSent: 500 }, 5000), 100);
});

Deno.test("ReplicaRates is never below 0", () => {
  let ms = 0;
  const rates = new ReplicaRates(() => ms);
  rates.look([{ connectionId: 1, bytesSent: 1000 }]);
  ms = 2000;
  assertEquals(rates.rateOf({ connectionId: 1, bytesSent: 10 }, 5000), 0);
});
