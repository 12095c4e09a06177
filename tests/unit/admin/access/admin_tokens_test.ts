import { assert, assertEquals } from "@std/assert";
import { AdminTokens } from "../../../../lib/admin/access/admin_tokens.ts";
import { openLog } from "../../../../lib/log/log.ts";

const OLD = "old-token-0123456789";
const NEW = "new-token-0123456789";

Deno.test("AdminTokens reads its files again, and keeps what was good", async () => {
  const lines: string[] = [];
  const files = new Map([["/run/admin", OLD]]);
  const tokens = new AdminTokens({
    adminToken: { text: OLD, file: "/run/admin" },
    readToken: { text: "from-the-environment", file: undefined },
    log: openLog({
      level: "debug",
      format: "text",
      write: (line) => lines.push(line),
    }),
    readTextFile: (path) => {
      const text = files.get(path);
      return text === undefined
        ? Promise.reject(new Deno.errors.NotFound())
        : Promise.resolve(text);
    },
  });
  assertEquals(tokens.levelOf(OLD), "admin");
  files.set("/run/admin", `${NEW}\n`);
  await tokens.reload();
  assertEquals([tokens.levelOf(OLD), tokens.levelOf(NEW)], [
    undefined,
    "admin",
  ]);
  assertEquals(tokens.levelOf("from-the-environment"), "read");

  for (const bad of ["short", "with a space in it, and long", undefined]) {
    if (bad === undefined) files.delete("/run/admin");
    else files.set("/run/admin", bad);
    lines.length = 0;
    await tokens.reload();
    assertEquals(tokens.levelOf(NEW), "admin");
    assertEquals(lines.length, 1);
    assert(lines[0]!.includes("ERROR") && lines[0]!.includes("/run/admin"));
    assert(bad === undefined || !lines[0]!.includes(bad), lines[0]);
  }
});

Deno.test("AdminTokens knows none where there are none", () => {
  const log = openLog({ level: "error", format: "text", write: () => {} });
  const tokens = new AdminTokens({ log });
  for (const text of ["", "undefined", "x".repeat(100_000)]) {
    assertEquals(tokens.levelOf(text), undefined);
  }
  assertEquals([tokens.has("read"), tokens.has("admin")], [false, false]);
});
