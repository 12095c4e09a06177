import { assertEquals, assertNotEquals } from "@std/assert";
import {
  chooseIntent,
  fingerprintOf,
  type Intent,
} from "../../../../lib/admin/intent/intent.ts";

const CONFIGURED = { run: true, target: "db1", fingerprint: "f1" };
const FROM_CONFIG: Intent<string> = {
  run: true,
  target: "db1",
  configured: "f1",
};

Deno.test("chooseIntent() takes the configuration when nothing is stored", () => {
  assertEquals(chooseIntent(undefined, CONFIGURED), {
    intent: FROM_CONFIG,
    replaced: undefined,
  });
});

Deno.test("chooseIntent() keeps a stop, and another target, while the configuration stays", () => {
  const stopped = { ...FROM_CONFIG, run: false };
  const elsewhere = { ...FROM_CONFIG, target: "db2" };
  for (const stored of [FROM_CONFIG, stopped, elsewhere]) {
    assertEquals(chooseIntent(stored, CONFIGURED), {
      intent: stored,
      replaced: undefined,
    });
  }
});

Deno.test("chooseIntent() takes the configuration when it has changed", () => {
  const stored = { run: false, target: "db2", configured: "f0" };
  assertEquals(chooseIntent(stored, CONFIGURED), {
    intent: FROM_CONFIG,
    replaced: stored,
  });
});

Deno.test("chooseIntent() runs nothing when the source was taken out", () => {
  const gone = { run: false, target: undefined, fingerprint: "none" };
  assertEquals(chooseIntent(FROM_CONFIG, gone), {
    intent: { run: false, target: undefined, configured: "none" },
    replaced: FROM_CONFIG,
  });
});

Deno.test("fingerprintOf() tells values apart and shows none of them", () => {
  const one = fingerprintOf({ user: "u", password: "hunter2" });
  assertEquals(one, fingerprintOf({ user: "u", password: "hunter2" }));
  assertNotEquals(one, fingerprintOf({ user: "u", password: "hunter3" }));
  assertNotEquals(one, fingerprintOf(undefined));
  assertEquals(one.includes("hunter2"), false);
});
