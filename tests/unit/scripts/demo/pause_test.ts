import { assertEquals, assertRejects } from "@std/assert";
import { pause } from "../../../../scripts/demo/pause.ts";

Deno.test("pause() ends by itself", async () => {
  await pause(1, new AbortController().signal);
});

Deno.test("pause() rejects with the reason of the signal", async () => {
  const controller = new AbortController();
  const reason = new RangeError("enough");
  const paused = assertRejects(() => pause(60_000, controller.signal));
  controller.abort(reason);
  assertEquals(await paused, reason);
  const again = await assertRejects(() => pause(60_000, controller.signal));
  assertEquals(again, reason);
});
