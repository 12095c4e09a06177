import { assertEquals } from "@std/assert";
import { BEHIND, IdleCheck } from "../../../lib/syncer/idle_check.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { neverWithin } from "../../support/never_within.ts";

/** A dump that stands still or goes on, and a source that answers. */
class FakeDump {
  moves = false;
  answer: string | undefined;
  asked = 0;
  readonly stale: string[] = [];
  #progress = 0;

  check(): IdleCheck {
    return new IdleCheck({
      periodMs: 5,
      progress: () => this.moves ? this.#progress++ : this.#progress,
      ask: () => {
        this.asked++;
        return Promise.resolve(this.answer);
      },
      onStale: (why) => this.stale.push(why),
    });
  }
}

Deno.test("IdleCheck asks nothing while events come", async () => {
  const dump = new FakeDump();
  dump.moves = true;
  await using _check = dump.check();
  await neverWithin(100, "it asked", () => dump.asked > 0);
});

Deno.test("IdleCheck lets a dump be whose source has no more", async () => {
  const dump = new FakeDump();
  await using _check = dump.check();
  await waitUntil("it asked some times", () => dump.asked > 3);
  assertEquals(dump.stale, []);
});

Deno.test("IdleCheck tells once why a dump can't be trusted", async () => {
  const dump = new FakeDump();
  dump.answer = "was reset";
  await using _check = dump.check();
  await waitUntil("it told", () => dump.stale.length > 0);
  await neverWithin(50, "it told again", () => dump.stale.length > 1);
  assertEquals(dump.stale, ["was reset"]);
  assertEquals(dump.asked, 1);
});

Deno.test("IdleCheck asks twice before it says that the source has more", async () => {
  const dump = new FakeDump();
  dump.answer = BEHIND;
  await using _check = dump.check();
  await waitUntil("it told", () => dump.stale.length > 0);
  assertEquals(dump.asked, 2);
});

Deno.test("IdleCheck ends the question when it is disposed of", async () => {
  let aborted = false;
  let asking = false;
  {
    await using _check = new IdleCheck({
      periodMs: 1,
      progress: () => 0,
      ask: (signal) => {
        asking = true;
        const { promise, resolve } = Promise.withResolvers<undefined>();
        signal.addEventListener("abort", () => {
          aborted = true;
          resolve(undefined);
        });
        return promise;
      },
      onStale: () => {
        throw new TypeError("It was told after the end");
      },
    });
    await waitUntil("it was asking", () => asking);
  }
  assertEquals(aborted, true);
});
