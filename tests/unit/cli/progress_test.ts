import { assert, assertEquals } from "@std/assert";
import { Progress } from "../../../lib/cli/progress.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { memoryTerminal } from "./memory_terminal.ts";

/** A bar over 1000 MiB whose time the test sets. */
function begin(errIsTerminal: boolean, total = 1000 * 1024 * 1024) {
  const terminal = memoryTerminal({ errIsTerminal });
  const clock = { ms: 0 };
  const progress = new Progress(
    terminal,
    { title: "export", total, unit: "bytes" },
    () => clock.ms,
  );
  const update = (ms: number, mib: number): void => {
    clock.ms = ms;
    progress.update(mib * 1024 * 1024);
  };
  return { terminal, progress, update };
}

/** Waits until what the bar draws by its own timer is there. */
async function drawn(
  terminal: { errors: () => string },
  text: string,
): Promise<void> {
  await waitUntil(
    `the bar showed ${text}`,
    () => terminal.errors().includes(text),
    { intervalMs: 10 },
  );
}

Deno.test("Progress draws one line over and over on a terminal", async () => {
  const { terminal, progress, update } = begin(true);
  update(10, 0);
  update(990, 99);
  assertEquals(terminal.errors(), "", "done within a second, nothing is shown");
  update(1000, 100);
  await drawn(
    terminal,
    "\r\u001b[Kexport  [#-----------]   10%  100 MiB of 0.98 GiB  100 MiB/s  0:09 left",
  );
  update(5000, 500);
  await drawn(
    terminal,
    "\r\u001b[Kexport  [######------]   50%  500 MiB of 0.98 GiB  100 MiB/s  0:05 left",
  );
  assert(!terminal.errors().includes("\n"));
  update(9900, 1000);
  await progress.end();
  await progress.end();
  const [last, ...rest] = terminal.errors().split("\r\u001b[K").reverse();
  assertEquals(
    last,
    "export  [############]  100%  0.98 GiB of 0.98 GiB  102 MiB/s  0:10 in all\n",
  );
  assert(!rest.join("").includes("\n"));
});

Deno.test("Progress fits its line to the terminal", async () => {
  const terminal = memoryTerminal({
    errIsTerminal: true,
    size: { columns: 40, rows: 10 },
  });
  let ms = 0;
  const progress = new Progress(
    terminal,
    { title: "export", total: 100, unit: "bytes" },
    () => ms,
  );
  ms = 2000;
  progress.update(50);
  await drawn(terminal, "\r\u001b[Kexport  [######------]   50%  0:02 left");
  await progress.end();
  for (const line of terminal.errors().split("\r\u001b[K")) {
    assert(line.trimEnd().length < 40, line);
  }
});

Deno.test("Progress writes a plain line now and then where nobody looks", async () => {
  const { terminal, progress, update } = begin(false);
  for (let count = 1; count <= 110; count++) update(count * 100, count * 5);
  await progress.end();
  assertEquals(terminal.errors().split("\n"), [
    "export   25%  250 MiB of 0.98 GiB  50 MiB/s  0:15 left",
    "export   50%  500 MiB of 0.98 GiB  50 MiB/s  0:10 left",
    "",
  ]);
});

Deno.test("Progress needs no total, and does not stumble over a standstill", async () => {
  const unknown = begin(true, 0);
  unknown.update(1000, 3);
  await drawn(unknown.terminal, "\r\u001b[Kexport  3 MiB  3 MiB/s");
  await unknown.progress.end();
  const still = begin(false);
  still.update(6000, 0);
  assertEquals(
    still.terminal.errors(),
    "export    0%  0 B of 0.98 GiB  0 B/s  ? left\n",
  );
});
