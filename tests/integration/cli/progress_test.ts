import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { unicodeWidth } from "@std/cli";
import { databasePath } from "../../../lib/store/kv/database_path.ts";
import { freePort } from "../../../scripts/test_servers/free_port.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { kingbusProgram, runKingbus } from "../../support/kingbus_process.ts";
import { PseudoTerminal, shellCommand } from "../../support/pseudo_terminal.ts";
import { SlowedProcess } from "../../support/slowed_process.ts";
import { makeSmallStore } from "../../support/small_store.ts";

const hasTerminal = await PseudoTerminal.isThere();
if (!hasTerminal) {
  console.error('SKIPPED "kingbus shows progress": no util-linux script');
}

/** Enough for a command to be in the middle of it when it is looked at. */
const FILE_BYTES = 20 * 1_000_000;

/** What each state of a bar begins with: the begin of the line, emptied. */
const CLEAR = "\r\u001b[K";

/** After so long a bar would have been drawn. */
const BAR_MS = 2_000;

const SIZE = { columns: 80, rows: 24 };

/** How a command is run. */
interface Run {
  /** What is written behind the command: a pipe, another place for an output. */
  readonly behind?: string;
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether a bar is to be seen; it is if absent. */
  readonly draws?: boolean;
  /** Typed as soon as the bar is there. */
  readonly key?: "\u0003";
}

/** Makes a store; gives its folder, and another one for what is written. */
async function withStore(
  work: (dataDir: string, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kingbus-progress-" });
  try {
    const dataDir = `${folder}/data`;
    await Deno.mkdir(dataDir);
    await makeSmallStore(databasePath(dataDir), {
      purgedIntervals: 0,
      files: 2,
      transactions: Array(20).fill([FILE_BYTES / 20]),
    });
    await work(dataDir, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Runs a command on a terminal, and lets it have so little time that its bar is
 * drawn; then it goes on as it can.
 */
async function runSlowed(
  args: readonly string[],
  {
    behind = "",
    columns = SIZE.columns,
    env = { NO_COLOR: "" },
    draws = true,
    key,
  }: Run = {},
): Promise<{ code: number; written: string }> {
  const command = shellCommand(kingbusProgram(args));
  // The shell becomes the command, which so has the terminal's keys. What is
  // nice does not run on while this test waits to hold it.
  const program =
    `sh -c 'echo "pid $$" >&2; exec nice -n 19 "$@"' sh ${command}`;
  await using terminal = PseudoTerminal.start(
    `trap : INT; ${program} ${behind}`,
    { ...SIZE, columns, env },
  );
  const pid = await waitUntil(
    "the command began",
    () => /pid (\d+)/.exec(terminal.written)?.[1],
  );
  {
    await using _slowed = await SlowedProcess.once(Number(pid), "kingbus.db");
    if (draws) await terminal.shows(`${CLEAR}${titleOf(args)}  [`);
    else await new Promise((resolve) => setTimeout(resolve, BAR_MS));
    if (key !== undefined) {
      await terminal.type(key);
      await terminal.shows("^C");
    }
  }
  return { code: await terminal.ended(), written: terminal.written };
}

function titleOf([command = ""]: readonly string[]): string {
  return command === "purge" ? "removing" : command;
}

/** What a bar showed, one state after the other, and what came behind it. */
function barOf(written: string): { states: string[]; behind: string } {
  const parts = written.split(CLEAR).slice(1);
  const [last = "", ...behind] = parts.pop()!.split("\r\n");
  return { states: [...parts, last], behind: behind.join("\n") };
}

function assertWholeBar(
  written: string,
  { title, columns = SIZE.columns }: { title: string; columns?: number },
): string {
  const { states, behind } = barOf(written);
  const last = states.at(-1) ?? "";
  for (const state of states) {
    assert(state.startsWith(`${title}  [`), state);
    assert(unicodeWidth(state) < columns, state);
    assert(!state.includes("\n"), state);
  }
  assert(/\] {3,4}\d{1,2}% /.test(states[0]!), states[0]);
  assert(last.startsWith(`${title}  [############]  100%  `), last);
  assert(last.endsWith(" in all"), last);
  return behind;
}

Deno.test({
  name:
    "kingbus shows on a terminal how far verify, export, import and purge are, up to 100 %",
  ignore: !hasTerminal,
  fn: () =>
    withStore(async (dataDir, folder) => {
      const copy = `${folder}/copy`;
      const files = `${folder}/files`;
      const runs = [
        [["verify", `--data-dir=${dataDir}`], "\u001b[32msound\u001b[39m"],
        [["export", `--data-dir=${dataDir}`, `--to=${files}`], "2 files in"],
        [["import", `--data-dir=${copy}`, files], "imported 2 files"],
        [[
          "purge",
          `--data-dir=${copy}`,
          `--admin-listen=127.0.0.1:${freePort()}`,
          "--to=binlog.000002",
        ], "removed 1 file"],
      ] as const;
      for (const [args, said] of runs) {
        const { code, written } = await runSlowed(args);
        assertEquals(code, 0, written);
        const title = titleOf(args);
        assertStringIncludes(assertWholeBar(written, { title }), said);
      }
    }),
});

Deno.test({
  name:
    "kingbus draws no bar and no colour into a pipe, and the bar beside it on the terminal",
  ignore: !hasTerminal,
  fn: () =>
    withStore(async (dataDir) => {
      const verify = ["verify", `--data-dir=${dataDir}`];
      const beside = await runSlowed(verify, { behind: "| sed 's/^/piped /'" });
      const piped = assertWholeBar(beside.written, { title: "verify" });
      assertStringIncludes(piped, "\npiped sound\n");
      assert(!piped.includes("\u001b"), piped);

      const into = await runSlowed(verify, {
        behind: "2>&1 | cat",
        draws: false,
      });
      assert(!into.written.includes("\u001b"), into.written);
      assert(!into.written.includes("%"), into.written);
      assertStringIncludes(into.written, "\nsound\r\n");

      const colourless = await runSlowed(verify, {
        columns: 40,
        env: { NO_COLOR: "1" },
      });
      const { states, behind: rest } = barOf(colourless.written);
      assert(states.every((state) => unicodeWidth(state) < 40), `${states}`);
      assert(!rest.includes("\u001b"), rest);
      assertStringIncludes(rest, "sound");
    }),
});

Deno.test({
  name:
    "kingbus ends verify, export and import at Ctrl-C, with how far they came and how to go on",
  ignore: !hasTerminal,
  fn: () =>
    withStore(async (dataDir, folder) => {
      const copy = `${folder}/copy`;
      const files = `${folder}/files`;
      const exporting = ["export", `--data-dir=${dataDir}`, `--to=${files}`];
      const importing = ["import", `--data-dir=${copy}`, files];
      const runs = [
        [["verify", `--data-dir=${dataDir}`], "interrupted by SIGINT"],
        [exporting, "the same command goes on where it was"],
        [importing, "the same command goes on from there"],
      ] as const;
      for (const [args, said] of runs) {
        const { code, written } = await runSlowed(args, { key: "\u0003" });
        assertEquals(code, 1, written);
        const { states, behind } = barOf(written);
        assert(states.at(-1)!.startsWith(`${args[0]}  [`), written);
        assert(!states.at(-1)!.includes("100%"), written);
        assertStringIncludes(behind, "kingbus: ");
        assertStringIncludes(behind, said);
        if (args !== exporting) continue;
        const again = await runKingbus(exporting);
        assertEquals([again.code, again.stderr], [0, ""]);
      }
      const again = await runKingbus(importing);
      assertEquals([again.code, again.stderr], [0, ""]);
      const verified = await runKingbus(["verify", `--data-dir=${copy}`]);
      assertStringIncludes(verified.stdout, "2 files, ");
      assertStringIncludes(verified.stdout, "sound");
    }),
});
