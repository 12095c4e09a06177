import { assertEquals, assertLess } from "@std/assert";
import { importFlags } from "../../../scripts/import_flags.ts";

const ROOT = new URL("../../../", import.meta.url);
const NPM = ["--import-map=scripts/npm_imports/import_map.json"];

/** Packages that the probe loads, each with a version deno.json allows. */
const VERSIONS = new Map([
  ["assert", "1.0.0"],
  ["cli", "1.0.32"],
  ["log", "0.224.0"],
  ["yaml", "1.0.0"],
]);

/** Copies what the script looks at, away from this project's lock file. */
async function makeProject(): Promise<URL> {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/scripts`);
  for (const path of ["deno.json", "scripts/jsr_probe.ts"]) {
    await Deno.copyFile(new URL(path, ROOT), `${folder}/${path}`);
  }
  return new URL(`file://${folder}/`);
}

/** Serves empty packages as JSR lays them out: versions, manifest, files. */
async function answer(request: Request): Promise<Response> {
  const path = new URL(request.url).pathname;
  const [, name = "", file = ""] = /^\/@std\/(\w+)\/(.*)$/.exec(path) ?? [];
  const version = VERSIONS.get(name);
  const code = "export {};\n";
  switch (file) {
    case "meta.json":
      return Response.json({ versions: { [version ?? ""]: {} } });
    case `${version}_meta.json`: {
      const hash = await crypto.subtle.digest(
        "SHA-256",
        new TextEncoder().encode(code),
      );
      const checksum = `sha256-${new Uint8Array(hash).toHex()}`;
      return Response.json({
        manifest: { "/mod.ts": { size: code.length, checksum } },
        exports: { ".": "./mod.ts", "./unstable-progress-bar": "./mod.ts" },
      });
    }
    case `${version}/mod.ts`:
      return new Response(code, {
        headers: { "content-type": "application/typescript" },
      });
    default:
      return new Response("not here", { status: 404 });
  }
}

/** A registry on a free port, or on the port of an earlier one. */
function startRegistry(port = 0): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, answer);
}

Deno.test("importFlags() follows the registry's coming and going", async () => {
  const root = await makeProject();
  let registry = startRegistry();
  const { port } = registry.addr;
  const look = (cache: string): Promise<string[]> =>
    importFlags({
      root,
      // A busy machine may take long to say anything.
      silenceMs: 60_000,
      env: {
        KINGBUS_IMPORTS: "",
        JSR_URL: `http://127.0.0.1:${port}/`,
        DENO_DIR: new URL(cache, root).pathname,
      },
    });

  assertEquals(await look("cache"), [], "it answers");
  await registry.shutdown();
  assertEquals(await look("cache"), [], "it is gone, but all is cached");
  assertEquals(await look("empty"), NPM, "it is gone, and nothing is cached");
  registry = startRegistry(port);
  assertEquals(await look("empty"), [], "it is back");
  await registry.shutdown();
  await Deno.remove(root, { recursive: true });
});

Deno.test("importFlags() does not wait for a silent registry", async () => {
  const root = await makeProject();
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const start = performance.now();
  const flags = await importFlags({
    root,
    silenceMs: 300,
    env: {
      KINGBUS_IMPORTS: "",
      JSR_URL: `http://127.0.0.1:${silent.addr.port}/`,
      DENO_DIR: new URL("cache", root).pathname,
    },
  });
  assertEquals(flags, NPM);
  assertLess(performance.now() - start, 10_000);
  silent.close();
  await Deno.remove(root, { recursive: true });
});

Deno.test("importFlags() does as it is told", async () => {
  assertEquals(await importFlags({ env: { KINGBUS_IMPORTS: "npm" } }), NPM);
  assertEquals(await importFlags({ env: { KINGBUS_IMPORTS: "jsr" } }), []);
});
