import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { importFlags } from "../../scripts/import_flags.ts";

/** Rounds, and the seed of their decisions if they are to be replayed. */
const ROUNDS = Deno.env.get("KINGBUS_CRASH_ROUNDS") ?? "12";
const SEED = Deno.env.get("KINGBUS_CRASH_SEED");

async function spawnCrashTest(args: string[]): Promise<Deno.ChildProcess> {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      ...await importFlags(),
      "-A",
      "tests/crash/main.ts",
      ...args,
    ],
    cwd: new URL("../../", import.meta.url),
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** Reads what it prints, showing it, until it ends or a line begins so. */
async function readLines(
  child: Deno.ChildProcess,
  lines: string[],
  beginning?: string,
): Promise<void> {
  let rest = "";
  const text = child.stdout.pipeThrough(new TextDecoderStream());
  for await (const chunk of text) {
    const found = (rest + chunk).split("\n");
    rest = found.pop()!;
    for (const line of found) {
      console.log(line);
      lines.push(line);
      if (beginning !== undefined && line.startsWith(beginning)) {
        child.kill("SIGINT");
      }
    }
  }
}

Deno.test(`nothing is lost in ${ROUNDS} rounds of faults`, async () => {
  const seed = SEED === undefined ? [] : ["--seed", SEED];
  const child = await spawnCrashTest(["--rounds", ROUNDS, ...seed]);
  const lines: string[] = [];
  await readLines(child, lines);
  const { code } = await child.status;
  assertEquals(code, 0, lines.slice(-40).join("\n"));
  const summary = lines.join("\n");
  assert(
    new RegExp(`^rounds +${ROUNDS} of ${ROUNDS}$`, "m").test(summary),
    "not all rounds were played",
  );
  assert(/^failures +0$/m.test(summary));
  assert(lines.some((line) => line.startsWith("Replay the decisions with")));
});

/** Command lines of all processes that name a folder. */
function processesIn(folder: string): string[] {
  const found: string[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const line = Deno.readTextFileSync(`/proc/${name}/cmdline`);
      if (line.includes(folder)) found.push(line);
    } catch {
      // it has just ended
    }
  }
  return found;
}

Deno.test("a crash test that is interrupted leaves nothing", async () => {
  const child = await spawnCrashTest(["--rounds", "1000", "--seed", "3"]);
  const lines: string[] = [];
  await readLines(child, lines, "round 2 ");
  const { code } = await child.status;
  assertEquals(code, 130);
  assertStringIncludes(lines.at(-1)!, "Ended by SIGINT");
  const where = lines.find((line) => line.startsWith("everything is in "))!;
  const folder = where.replace("everything is in ", "");
  assertThrows(() => Deno.statSync(folder), Deno.errors.NotFound);
  assertEquals(processesIn(folder), []);
});
