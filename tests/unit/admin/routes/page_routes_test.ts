import { assert, assertEquals, assertMatch } from "@std/assert";
import { AdminApi } from "../../../../lib/admin/admin_api.ts";
import { PAGE_ASSETS } from "../../../../lib/admin/page/page_assets.ts";
import { pageRoutes } from "../../../../lib/admin/routes/page_routes.ts";
import { silentLog } from "../../../../lib/log/log.ts";

const FOLDER = new URL("../../../../lib/admin/page/", import.meta.url);

const api = new AdminApi({ routes: pageRoutes(), log: silentLog() });

async function get(
  path: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return await api.handle(
    new Request(`http://localhost${path}`, { headers }),
  );
}

Deno.test("GET / answers the page, which loads only what is served beside it", async () => {
  const response = await get("/");
  assertEquals(response.status, 200);
  assertEquals(
    response.headers.get("content-type"),
    "text/html; charset=utf-8",
  );
  const html = await response.text();
  const loaded = [...html.matchAll(/(?:src|href)="(page\/[^"]+)"/g)]
    .map(([, path]) => `/${path}`);
  assert(loaded.length >= 6);
  for (const path of loaded) {
    const file = await get(path);
    assertEquals(file.status, 200, path);
    await file.body?.cancel();
  }
});

Deno.test("GET / and what it loads allow nothing from elsewhere", async () => {
  for (const path of ["/", "/page/main.js", "/page/icon.svg"]) {
    const { headers, body } = await get(path);
    await body?.cancel();
    const policy = headers.get("content-security-policy") ?? "";
    assert(policy.startsWith("default-src 'none'; "), path);
    assert(!/unsafe|\*|https?:/.test(policy), policy);
    assert(policy.includes("; frame-ancestors 'none'"), policy);
  }
});

Deno.test("GET / has no script, style or handler inside, which the policy forbids", async () => {
  const html = await (await get("/")).text();
  for (const [script] of html.matchAll(/<script[^>]*>/g)) {
    assertMatch(script, / src="page\/[a-z_]+\.js"/);
  }
  assert(!/<style/i.test(html));
  assert(!/\sstyle=/i.test(html));
  assert(!/\son[a-z]+=/i.test(html));
});

Deno.test("GET /page/… answers every module of the folder, and what modules import", async () => {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(FOLDER)) {
    if (/\.(js|css|svg)$/.test(name)) names.push(name);
  }
  assertEquals([...names, "uplot.css"].sort(), [...PAGE_ASSETS.keys()].sort());
  for (const [name, { text }] of PAGE_ASSETS) {
    for (
      const [, one, several] of text.matchAll(
        /^(?:import|export) .* from "([^"]+)";$|^} from "([^"]+)";$/gm,
      )
    ) {
      const imported = one ?? several ?? "";
      assertMatch(imported, /^\.\/[a-z_]+\.js$/, name);
      assert(PAGE_ASSETS.has(imported.slice(2)), `${name}: ${imported}`);
    }
  }
});

Deno.test("GET /page/… says of what kind a file is", async () => {
  const types: [path: string, type: string][] = [
    ["/page/main.js", "text/javascript; charset=utf-8"],
    ["/page/uplot.js", "text/javascript; charset=utf-8"],
    ["/page/status.css", "text/css; charset=utf-8"],
    ["/page/uplot.css", "text/css; charset=utf-8"],
    ["/page/icon.svg", "image/svg+xml; charset=utf-8"],
  ];
  for (const [path, type] of types) {
    const response = await get(path);
    assertEquals(response.headers.get("content-type"), type);
    assertEquals(response.headers.get("x-content-type-options"), "nosniff");
    assert((await response.text()).length > 100);
  }
});

Deno.test("GET /page/… answers 304 to who has the file, however the tag came", async () => {
  const first = await get("/page/main.js");
  await first.body?.cancel();
  const etag = first.headers.get("etag") ?? "";
  assertMatch(etag, /^"[\w-]{22}"$/);
  assertEquals(first.headers.get("cache-control"), "no-cache");
  for (const header of [etag, `W/${etag}`, `"other", W/${etag}`]) {
    const again = await get("/page/main.js", { "if-none-match": header });
    assertEquals(again.status, 304);
    assertEquals(again.headers.get("etag"), etag);
    assertEquals(await again.text(), "");
  }
  const other = await get("/page/main.js", { "if-none-match": '"other"' });
  assertEquals(other.status, 200);
  await other.body?.cancel();
});

Deno.test("GET /page/… answers 404 for what is no file of the page", async () => {
  const paths = [
    "/page/nothing.js",
    "/page/page_assets.ts",
    "/page/..%2fadmin_api.ts",
    "/page/%2e%2e%2f%2e%2e%2fdeno.json",
    "/page/__proto__",
    "/page/a/main.js",
    "/page/",
  ];
  for (const path of paths) {
    const response = await get(path);
    assertEquals(response.status, 404, path);
    assertEquals(
      response.headers.get("content-type"),
      "application/json",
      path,
    );
    await response.body?.cancel();
  }
});
