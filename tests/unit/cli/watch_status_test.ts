import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { runCli } from "../../../lib/cli/run_cli.ts";
import { statusCommand } from "../../../lib/cli/status_command.ts";
import type { TerminalEvents } from "../../../lib/cli/terminal.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { memoryTerminal, type Surroundings } from "./memory_terminal.ts";
import { runningNode } from "./running_node.ts";

const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";

/** Begins to watch on a terminal of 80 columns. */
function watch(args: string[], surroundings: Surroundings) {
  let events: TerminalEvents | undefined;
  const terminal = memoryTerminal({
    outIsTerminal: true,
    size: { columns: 80, rows: 40 },
    listen: (given) => events = given,
    ...surroundings,
  });
  const ended = runCli(
    ["status", "--watch", "--interval=200ms", ...args],
    [statusCommand],
    terminal,
  );
  return {
    ended,
    errors: terminal.errors,
    output: terminal.output,
    press: (keys: string) => events!.onKeys(keys),
    resize: () => events!.onResize(),
    /** The newest screen, once it has a text. */
    shows: (text: string) =>
      waitUntil(`the screen had ${text}`, () => {
        const screen = terminal.output().split(HOME).at(-1)!;
        return screen.includes(text) && screen;
      }, { intervalMs: 10 }),
  };
}

Deno.test("kingbus status --watch draws in place until q, and puts the terminal back", async () => {
  const node = runningNode();
  const view = watch([], { fetch: node.fetch });
  await view.shows("node-1, kingbus");
  await node.syncer.start(undefined);
  const screen = await view.shows("following 127.0.0.1:3306");
  assertStringIncludes(screen, "q ends");
  view.press("x");
  view.resize();
  view.press("q");
  assertEquals(await view.ended, 0);
  const output = view.output();
  assert(output.startsWith(ENTER) && output.endsWith(LEAVE), output);
  assertEquals(view.errors(), "");
  // each line is ended so that nothing of a longer one stays
  for (const line of screen.split("\r\n")) {
    assert(line.includes("\u001b[K"), line);
  }
});

Deno.test("kingbus status --watch goes on when the node is lost", async () => {
  const node = runningNode();
  let lost = false;
  const view = watch([], {
    fetch: (...asked) =>
      lost
        ? Promise.reject(new TypeError("Connection refused (os error 111)"))
        : node.fetch(...asked),
  });
  await view.shows("node-1, kingbus");
  lost = true;
  const screen = await view.shows("no node answers at http://127.0.0.1:9595");
  assertStringIncludes(screen, "what follows is of 20");
  assertStringIncludes(screen, "node-1, kingbus");
  lost = false;
  await view.shows("http://127.0.0.1:9595  20");
  view.press("\u0003");
  assertEquals(await view.ended, 0);
});

Deno.test("kingbus status --watch says how much of it has no room", async () => {
  const node = runningNode();
  const size = { columns: 80, rows: 6 };
  const view = watch([], { fetch: node.fetch, size });
  const screen = await view.shows("more lines");
  assertEquals(screen.split("\r\n").length, 6);
  view.press("q");
  await view.ended;
});

Deno.test("kingbus status --watch --json prints a line each time", async () => {
  const node = runningNode();
  let asked = 0;
  const terminal = memoryTerminal({
    fetch: (...question) =>
      ++asked === 2
        ? Promise.reject(new TypeError("Connection refused"))
        : node.fetch(...question),
  });
  const closing = {
    ...terminal,
    isOutClosed: () => terminal.output().split("\n").length > 3,
  };
  const args = ["status", "--watch", "--json", "--interval=200ms"];
  assertEquals(await runCli(args, [statusCommand], closing), 0);
  const lines = terminal.output().trimEnd().split("\n").map((line) =>
    JSON.parse(line)
  );
  assertEquals(lines.map(({ from }) => from), ["node", undefined, "node"]);
  assertEquals(lines[0].data.name, "node-1");
  assertStringIncludes(lines[1].error, "no node answers");
  for (const { at } of lines) assertEquals(Number.isNaN(Date.parse(at)), false);
});
