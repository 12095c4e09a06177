import { assert, assertEquals } from "@std/assert";
import { describedRoutes, withRoutes } from "../../../scripts/api_docs.ts";

const PAGE = new URL("../../../docs/admin-api.md", import.meta.url);

Deno.test("docs/admin-api.md has the routes, bodies and errors of the code", async () => {
  const page = await Deno.readTextFile(PAGE);
  assertEquals(page, withRoutes(page), "run scripts/api_docs.ts");
  for (const { method, path } of describedRoutes()) {
    assert(page.includes(`\`${method} ${path}\``), `${method} ${path}`);
  }
});

Deno.test("every route has a summary, a right and its own errors once", () => {
  const seen = new Set<string>();
  for (const route of describedRoutes()) {
    const name = `${route.method} ${route.path}`;
    assert(!seen.has(name), name);
    seen.add(name);
    assert(/^[A-Z0-9].*\.$/.test(route.summary), `${name}: ${route.summary}`);
    const braces = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, one]) => one);
    assertEquals(Object.keys(route.params?.shape ?? {}), braces, name);
    // What changes something is never open, and what is open has no body.
    if (route.method !== "GET") assertEquals(route.access, "admin", name);
  }
});
