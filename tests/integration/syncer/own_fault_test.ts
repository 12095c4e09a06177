import { assertEquals, assertStringIncludes } from "@std/assert";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { executedOf } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";

const source = new SharedSource56();

Deno.test("Syncer counts a fault of kingbus itself, and goes on once it is over", async () => {
  await source.run("CREATE TABLE test.t (id SERIAL)");
  await using kingbus = await TestKingbus.start({ hurry: 10 });
  const { store, syncer } = kingbus;
  // No error that a store has: it stands for a bug, whom the source meets.
  Object.defineProperty(store, "setMeta", {
    value: () => Promise.reject(new TypeError("a bug")),
    configurable: true,
  });
  await kingbus.follow(source);
  const { reason } = await kingbus.waitUntilCause("internal");
  assertStringIncludes(reason!, "a bug");
  assertEquals(
    Object.entries(syncer.counters.faults).filter(([, count]) => count > 0)
      .map(([cause]) => cause),
    ["internal"],
  );
  // What the class has is there again.
  Reflect.deleteProperty(store, "setMeta");
  await kingbus.waitUntilHas(await executedOf(source.server));
  assertEquals(kingbus.status.cause, undefined);
});
