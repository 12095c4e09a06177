import { assertEquals, assertRejects } from "@std/assert";
import { whileLocked } from "../../../../lib/store/kv/while_locked.ts";

/** A write that fails so many times. */
function failing(
  times: number,
  message: string,
): { write: () => Promise<string>; tries: number } {
  const writer = {
    tries: 0,
    write: () =>
      ++writer.tries <= times
        ? Promise.reject(new TypeError(message))
        : Promise.resolve("written"),
  };
  return writer;
}

Deno.test("whileLocked() tries again while the database is locked", async () => {
  const writer = failing(3, "database is locked");
  assertEquals(await whileLocked(writer.write), "written");
  assertEquals(writer.tries, 4);
});

Deno.test("whileLocked() gives up some time", async () => {
  const writer = failing(9, "database table is locked");
  await assertRejects(() => whileLocked(writer.write, 3), TypeError, "locked");
  assertEquals(writer.tries, 3);
});

Deno.test("whileLocked() throws other faults at once", async () => {
  const writer = failing(1, "disk I/O error");
  await assertRejects(() => whileLocked(writer.write), TypeError, "disk");
  assertEquals(writer.tries, 1);
});
