import { assertEquals } from "@std/assert";
import { PendingLogins } from "../../../lib/server/pending_logins.ts";

const login = (host: string, name: string) => ({ host, name });

Deno.test("PendingLogins.evict() takes the oldest of the address with the most", () => {
  const pending = new PendingLogins<ReturnType<typeof login>>();
  const lone = login("192.0.2.1", "lone");
  pending.add(lone);
  for (const name of ["a", "b", "c"]) pending.add(login("192.0.2.2", name));
  pending.add(login("192.0.2.3", "x"));
  assertEquals(pending.count, 5);
  assertEquals(pending.evict()?.name, "a");
  assertEquals(pending.evict()?.name, "b");
  // now all have one: the address that came first
  assertEquals(pending.evict()?.name, "lone");
  assertEquals(pending.count, 2);
});

Deno.test("PendingLogins forgets who is logged in or gone", () => {
  const pending = new PendingLogins<ReturnType<typeof login>>();
  const one = login("192.0.2.1", "one");
  pending.add(one);
  pending.delete(one);
  pending.delete(one);
  assertEquals(pending.count, 0);
  assertEquals(pending.evict(), undefined);
});
