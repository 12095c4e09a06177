import { assertEquals } from "@std/assert";
import { describeError } from "../../../lib/log/describe_error.ts";

Deno.test("describeError() tells the causes on one line, once each", () => {
  const inner = new TypeError("connection\n  refused");
  const middle = new Error("cannot connect: connection refused", {
    cause: inner,
  });
  const outer = new Error("source lost", { cause: middle });
  assertEquals(
    describeError(outer),
    "source lost: cannot connect: connection refused",
  );
});

Deno.test("describeError() takes what is no error", () => {
  assertEquals(describeError("text"), "text");
  assertEquals(describeError(undefined), "undefined");
  assertEquals(describeError(new RangeError("")), "RangeError");
  assertEquals(describeError(""), "unknown error");
});

Deno.test("describeError() ends on a cause that is its own cause", () => {
  const error: Error & { cause?: unknown } = new Error("round");
  error.cause = error;
  assertEquals(describeError(error), "round");
});
