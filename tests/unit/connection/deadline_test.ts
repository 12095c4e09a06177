import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import { abortable } from "../../../lib/connection/abortable.ts";
import {
  ConnectionError,
  connectionErrorFrom,
} from "../../../lib/connection/connection_error.ts";
import { Deadline } from "../../../lib/connection/deadline.ts";

Deno.test("Deadline aborts at its limit and says what took too long", async () => {
  using deadline = new Deadline(1, "reading");
  const never = new Promise<void>(() => {});
  const error = await assertRejects(
    () => abortable(never, deadline.signal),
    ConnectionError,
    "Timed out after 1 ms reading",
  );
  assertEquals(error.kind, "timeout");
});

Deno.test("Deadline aborts with its parent, also with one that aborted before", () => {
  const controller = new AbortController();
  using during = new Deadline(60_000, "reading", controller.signal);
  controller.abort("stop");
  using after = new Deadline(60_000, "reading", controller.signal);
  for (const deadline of [during, after]) {
    assert(deadline.signal.aborted);
    assertEquals(deadline.signal.reason, "stop");
  }
});

Deno.test("Deadline leaves nothing behind on its parent", () => {
  const listeners = new Set<unknown>();
  const parent = new AbortController().signal;
  const { addEventListener, removeEventListener } = parent;
  parent.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners.add(args[1]);
    addEventListener.apply(parent, args);
  };
  parent.removeEventListener = (
    ...args: Parameters<typeof removeEventListener>
  ) => {
    listeners.delete(args[1]);
    removeEventListener.apply(parent, args);
  };
  {
    using _deadline = new Deadline(60_000, "reading", parent);
    assertEquals(listeners.size, 1);
  }
  assertEquals(listeners.size, 0);
});

Deno.test("abortable() answers what the promise does", async () => {
  const { signal } = new AbortController();
  assertEquals(await abortable(Promise.resolve(1), signal), 1);
  assertEquals(await abortable(Promise.resolve(1), undefined), 1);
  const failing = () => abortable(Promise.reject(new RangeError("no")), signal);
  await assertRejects(failing, RangeError, "no");
});

Deno.test("abortable() leaves a later failure unreported", async () => {
  const { promise, reject } = Promise.withResolvers<void>();
  await assertRejects(
    () => abortable(promise, AbortSignal.abort()),
    ConnectionError,
  );
  reject(new RangeError("nobody waits"));
});

Deno.test("connectionErrorFrom() keeps what it knows and wraps the rest", () => {
  const own = new ConnectionError("truncated", "x");
  assertEquals(connectionErrorFrom(own), own);
  const cases: [unknown, string][] = [
    [new Deno.errors.ConnectionReset("x"), "reset"],
    [new Deno.errors.ConnectionAborted("x"), "reset"],
    [new Deno.errors.BrokenPipe("x"), "reset"],
    [new Deno.errors.TimedOut("x"), "reset"],
    [new Deno.errors.BadResource("x"), "closed"],
    [new Deno.errors.Interrupted("x"), "closed"],
    [new TypeError("x"), "closed"],
    ["x", "closed"],
  ];
  for (const [cause, kind] of cases) {
    const error = connectionErrorFrom(cause);
    assertInstanceOf(error, ConnectionError);
    assertEquals([error.kind, error.cause], [kind, cause]);
  }
});
