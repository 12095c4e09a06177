import { assertEquals } from "@std/assert";
import { SilenceWatch } from "../../../lib/syncer/silence_watch.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { neverWithin } from "../../support/never_within.ts";

/** A connection that something comes over or not. */
class FakeConnection {
  comes = false;
  awaitsSource = true;
  told = 0;
  #received = 0;

  watch(): SilenceWatch {
    return new SilenceWatch({
      timeoutMs: 20,
      received: () => this.comes ? ++this.#received : this.#received,
      awaitsSource: () => this.awaitsSource,
      onSilent: () => void this.told++,
    });
  }
}

Deno.test("SilenceWatch tells once that nothing came for too long", async () => {
  const connection = new FakeConnection();
  using watch = connection.watch();
  await waitUntil("it has told", () => watch.fired);
  await neverWithin(60, "it told again", () => connection.told !== 1);
});

Deno.test("SilenceWatch says nothing while something comes", async () => {
  const connection = new FakeConnection();
  connection.comes = true;
  using watch = connection.watch();
  await neverWithin(100, "it told", () => watch.fired);
  connection.comes = false;
  await waitUntil("it has told", () => watch.fired);
});

Deno.test("SilenceWatch says nothing while the source is not awaited, or it is over", async () => {
  const connection = new FakeConnection();
  connection.awaitsSource = false;
  {
    using watch = connection.watch();
    await neverWithin(100, "it told", () => watch.fired);
    connection.awaitsSource = true;
  }
  await neverWithin(60, "it told", () => connection.told > 0);
  assertEquals(connection.told, 0);
});
