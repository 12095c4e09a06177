import { assert, assertEquals, assertFalse } from "@std/assert";
import { CommandMemory } from "../../../lib/server/command_memory.ts";

Deno.test("CommandMemory is shared, and given back at a session's end", () => {
  const memory = new CommandMemory(1000);
  const one = memory.share();
  const other = memory.share();
  assert(one.take(700));
  assertFalse(other.take(301));
  assert(other.take(300));
  assertEquals(memory.held, 1000);
  one.give(200);
  assertEquals(memory.held, 800);
  one.release();
  other.release();
  assertEquals(memory.held, 0);
});

Deno.test("CommandMemoryShare.keep() asks for what is not free alone", () => {
  const memory = new CommandMemory(1000);
  const share = memory.share();
  assert(share.keep(4096));
  assertEquals(memory.held, 0);
  assert(share.keep(5096));
  assertEquals(memory.held, 1000);
  assertFalse(share.keep(4097));
});
