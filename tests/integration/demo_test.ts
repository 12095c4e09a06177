import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { compareTables } from "../../scripts/demo/compare_tables.ts";
import { Interruption } from "../../scripts/demo/demo_error.ts";
import { DemoOutput } from "../../scripts/demo/demo_output.ts";
import { exitCodeOf, formatReport } from "../../scripts/demo/demo_report.ts";
import type { DemoSurroundings } from "../../scripts/demo/demo_run.ts";
import { runDemo } from "../../scripts/demo/run_demo.ts";
import { importFlags } from "../../scripts/import_flags.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";

const ROOT = new URL("../../", import.meta.url);

/** A folder for a demo's temporary files, of which none may be left. */
class DemoPlace implements AsyncDisposable {
  readonly path: string;
  /** Demos that a test may have given up on. */
  readonly #children: Deno.ChildProcess[] = [];

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<DemoPlace> {
    // as what works in it sees it; and short, for the paths of sockets
    return new DemoPlace(await Deno.realPath(await Deno.makeTempDir()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      try {
        child.kill("SIGTERM");
      } catch {
        // it has ended, as it should
      }
      await child.status;
    }
    await Deno.remove(this.path, { recursive: true });
  }

  /** Starts the demo as a process of its own. */
  async start(args: string[]): Promise<Deno.ChildProcess> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-q",
        ...await importFlags(),
        "-A",
        "scripts/demo.ts",
        ...args,
      ],
      cwd: ROOT,
      env: { TMPDIR: this.path },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#children.push(child);
    return child;
  }

  /** Names of files and folders in it. */
  async entries(): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(this.path)) names.push(name);
    return names;
  }

  /** Command lines of the processes that work in it. */
  async processes(): Promise<string[]> {
    const found: string[] = [];
    for await (const { name } of Deno.readDir("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      try {
        const line = await Deno.readTextFile(`/proc/${name}/cmdline`);
        if (line.includes(this.path)) found.push(line.replaceAll("\0", " "));
      } catch {
        // it ended meanwhile, or may not be looked at
      }
    }
    return found;
  }

  /** Fails if anything is left of a demo. */
  async assertEmpty(): Promise<void> {
    assertEquals(await this.processes(), []);
    assertEquals(await this.entries(), []);
  }
}

/** Collects a stream's text, to be looked at while it comes. */
function collectText(
  stream: ReadableStream<Uint8Array>,
): { text: () => string; end: Promise<void> } {
  let text = "";
  const end = (async () => {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      text += part;
    }
  })();
  return { text: () => text, end };
}

/** What a demo inside this process runs with; its output is kept. */
function surroundings(
  different: Partial<DemoSurroundings> = {},
): DemoSurroundings & { written: string[] } {
  const written: string[] = [];
  const output = new DemoOutput({
    write: (text) => written.push(text),
    terminal: undefined,
    now: () => performance.now(),
  });
  return {
    written,
    output,
    giveUp: new AbortController().signal,
    finish: new AbortController().signal,
    compare: compareTables,
    ...different,
  };
}

Deno.test("demo --seconds 5 shows replication, compares, and leaves nothing", async () => {
  await using place = await DemoPlace.make();
  const child = await place.start(["--seconds", "5"]);
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder().decode(stdout);
  const failure = `${text}\n${new TextDecoder().decode(stderr)}`;
  assertEquals(code, 0, failure);
  await place.assertEmpty();

  const lines = text.split("\n");
  const views = lines.filter((line) =>
    /^ +\d+ s {2}source \w{8}…:1-\d+ {2}kingbus \w{8}…:1-\d+ binlog\.\d{6}:\d+ {2}replica \w{8}…:1-\d+ {2}[\d,.]+ tx\/s {2}lag /
      .test(line)
  );
  assert(views.length >= 5, failure);
  assert(
    !text.includes("\x1b"),
    "control sequences where there is no terminal",
  );
  const compared = /^([\d,]+) rows of \d+ tables compared: none differs\.$/m
    .exec(text);
  assert(Number(compared?.[1]?.replaceAll(",", "")) > 200, failure);
  const written =
    /^ {2}transactions {2}([\d,]+) in [\d.]+ s \(\d+\/s\), of them (\d+) large ones? and (\d+) schema changes?/m
      .exec(text);
  assert(Number(written?.[1]?.replaceAll(",", "")) > 100, failure);
  assert(Number(written?.[2]) > 0 && Number(written?.[3]) > 0, failure);
  assertMatch(
    text,
    /^ {2}lag {11}median [\d.]+ ms, 99% [\d.]+ m?s, max [\d.]+ m?s \(\d+ times/m,
  );
  assertMatch(text, /^ {2}bytes .* kept by kingbus, .* sent to the replica$/m);
});

Deno.test("demo exits with 2 for a command line it does not understand", async () => {
  await using place = await DemoPlace.make();
  const child = await place.start(["--seconds", "soon"]);
  const { code, stderr } = await child.output();
  assertEquals(code, 2);
  assertMatch(new TextDecoder().decode(stderr), /^demo: --seconds must be/);
  await place.assertEmpty();
});

Deno.test("demo ends with 1 when rows of the replica differ", async () => {
  const { written, ...demo } = surroundings({
    compare: async (database, source, replica) => {
      await replica("STOP SLAVE");
      await replica(`UPDATE ${database}.account SET holder = 'x' WHERE id = 7`);
      await replica(`DELETE FROM ${database}.account WHERE id = 11`);
      return await compareTables(database, source, replica);
    },
  });
  const options = { seconds: 1, rate: 50, keep: false };
  const report = await runDemo(options, demo);
  assertEquals(exitCodeOf(report), 1);
  assertEquals(report.comparison.differing, 2);
  assertMatch(
    formatReport(report),
    /^FAILED: \d+ rows of \d+ tables compared, 2 differ:\n {2}table account, id 7: holder is 'x', on the source '[^']+'\n {2}table account, id 11: the replica lacks the row\n\n/,
  );
  assert(written.length > 0);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  for (
    const [when, sign] of [
      ["in the middle of the start", /^ {2}source {3}MySQL/m],
      ["in the middle of the writing", /^ +1 s {2}source/m],
    ] as const
  ) {
    Deno.test(`demo leaves nothing after a ${signal} ${when}`, async () => {
      await using place = await DemoPlace.make();
      const child = await place.start([]);
      const stdout = collectText(child.stdout);
      const stderr = collectText(child.stderr);
      await waitUntil(`the demo was ${when}`, () => sign.test(stdout.text()));
      assert((await place.processes()).length > 0);
      child.kill(signal);
      const { code } = await child.status;
      await Promise.all([stdout.end, stderr.end]);
      assertEquals(code, signal === "SIGINT" ? 130 : 143, stderr.text());
      await place.assertEmpty();
      assertMatch(stdout.text(), new RegExp(`Ended by ${signal}: stopped all`));
    });
  }
}

Deno.test("demo leaves nothing after it was killed", async () => {
  await using place = await DemoPlace.make();
  for (const sign of [/^ {2}source {3}MySQL/m, /^ +0 s {2}source/m]) {
    const child = await place.start([]);
    const stdout = collectText(child.stdout);
    const stderr = collectText(child.stderr);
    await waitUntil("the demo was so far", () => sign.test(stdout.text()));
    child.kill("SIGKILL");
    await child.status;
    await Promise.all([stdout.end, stderr.end]);
    await waitUntil(
      "nothing of the demo was left",
      async () =>
        (await place.processes()).length === 0 &&
        (await place.entries()).length === 0,
    );
  }
});

Deno.test("demo says which server has gone, and ends with 1", async () => {
  await using place = await DemoPlace.make();
  const child = await place.start(["--seconds", "30"]);
  const stdout = collectText(child.stdout);
  const stderr = collectText(child.stderr);
  await waitUntil("the demo wrote", () => /^ +1 s/m.test(stdout.text()));
  const folder = /^ {2}folder {3}(\S+)/m.exec(stdout.text())![1];
  const pid = await Deno.readTextFile(`${folder}/replica/mysqld.pid`);
  Deno.kill(Number(pid), "SIGKILL");
  const { code } = await child.status;
  await Promise.all([stdout.end, stderr.end]);
  assertEquals(code, 1);
  assertMatch(stdout.text(), /^the replica can't be reached: /m);
  assertMatch(stderr.text(), /^demo: cannot /m);
  await place.assertEmpty();
});

Deno.test("runDemo() throws what it was given up for, and keeps a kept folder", async () => {
  const giveUp = new AbortController();
  const { written, ...demo } = surroundings({ giveUp: giveUp.signal });
  const reason = new Interruption("SIGTERM");
  const options = { seconds: undefined, rate: 50, keep: true };
  const thrown = assertRejects(() => runDemo(options, demo));
  await waitUntil(
    "the demo wrote",
    () => written.some((text) => /^ +0 s/.test(text)),
  );
  giveUp.abort(reason);
  assertEquals(await thrown, reason);
  const folder = /folder {3}(\S+) \(kept\)/.exec(written.join(""))![1]!;
  assert((await Deno.stat(`${folder}/source/data/ibdata1`)).isFile);
  assert((await Deno.stat(`${folder}/kingbus.log`)).size > 0);
  await Deno.remove(folder, { recursive: true });
});
