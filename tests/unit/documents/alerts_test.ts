import { assertEquals } from "@std/assert";

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(`../../../${path}`, import.meta.url));
}

Deno.test("docs/operations.md says for every alert where to begin, and for no other", async () => {
  const rules = await read("scripts/observability/alerts.yml");
  const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  const document = await read("docs/operations.md");
  const table = document.slice(document.indexOf("\n## Alerts\n"));
  const named = [...table.matchAll(/`(Kingbus[A-Z]\w+)`/g)]
    .map(([, name]) => name);
  assertEquals([...new Set(named)].sort(), alerts.sort());
});
