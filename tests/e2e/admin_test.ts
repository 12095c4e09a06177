import { assert, assertEquals, assertMatch } from "@std/assert";
import { e2eTest } from "../support/e2e_test.ts";
import { KingbusProcess } from "../support/kingbus_process.ts";

/** What a page refers to below its own address. */
function filesOf(page: string): string[] {
  return [...page.matchAll(/(?:src|href)="([^"#:?]+\.\w+)"/g)]
    .map(([, path]) => path!);
}

/** Modules that a module imports, relative to it; not types in comments. */
function importsOf(module: string): string[] {
  return [...module.matchAll(/\b(?:from|import)\s*\(?"(\.[^"]+\.js)"/g)]
    .map(([, path]) => path!);
}

await e2eTest(
  "the executable has the status page and that of the API with all their files, metrics and the stream in it",
  [],
  async ({ executable, folder }) => {
    await Deno.writeTextFile(
      `${folder}/kingbus.yaml`,
      "server: { tls: { mode: disabled } }\n",
    );
    await using kingbus = await KingbusProcess.start(
      ["--config=kingbus.yaml"],
      executable.launch({ cwd: folder }),
    );
    const root = `${kingbus.adminUrl}/`;
    const open = new Set<string>([
      root,
      `${root}api`,
      `${root}openapi.json`,
    ]);
    const types = new Map<string, string>();
    for (const url of open) {
      const answer = await fetch(url);
      const text = await answer.text();
      assertEquals(answer.status, 200, `${url}: ${text}`);
      assert(text.length > 0, url);
      const type = answer.headers.get("content-type") ?? "";
      types.set(url.slice(root.length), type.split(";")[0]!);
      const linked = type.startsWith("text/html")
        ? filesOf(text)
        : type.startsWith("text/javascript")
        ? importsOf(text)
        : [];
      for (const path of linked) open.add(new URL(path, url).href);
    }
    const kinds = new Set(types.values());
    for (
      const kind of [
        "text/html",
        "text/javascript",
        "text/css",
        "image/svg+xml",
      ]
    ) {
      assert(kinds.has(kind), Deno.inspect(types));
    }
    assert(types.size > 20, Deno.inspect(types));

    const metrics = await fetch(`${root}metrics`);
    assertMatch(await metrics.text(), /^kingbus_\w+(\{.*\})? [\d.e+-]+$/m);
    assertEquals(metrics.status, 200);

    await using stream = await openStream(`${root}status/stream`);
    const received = [await stream.next(), await stream.next()].join("\n");
    assertMatch(received, /^event: history$/m);
    kingbus.signal("SIGTERM");
    assertEquals(await kingbus.ended(), 0);
  },
);

/** Server-sent events, one after another. */
async function openStream(
  url: string,
): Promise<AsyncDisposable & { next(): Promise<string> }> {
  const response = await fetch(url);
  const reader = response.body!.pipeThrough(new TextDecoderStream())
    .getReader();
  let rest = "";
  return {
    async next() {
      for (;;) {
        const end = rest.indexOf("\n\n");
        if (end >= 0) {
          const event = rest.slice(0, end);
          rest = rest.slice(end + 2);
          return event;
        }
        const { value, done } = await reader.read();
        assert(!done, `the stream ended: ${rest}`);
        rest += value;
      }
    },
    async [Symbol.asyncDispose]() {
      await reader.cancel().catch(() => {
        // kingbus has ended before
      });
    },
  };
}
