import { assert, assertEquals } from "@std/assert";
import { Progress } from "../../../lib/cli/progress.ts";
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

Deno.test("Progress draws one line over and over on a terminal", () => {
  const { terminal, progress, update } = begin(true);
  update(10, 5);
  assertEquals(terminal.errors(), "");
  for (let count = 1; count <= 50; count++) update(count * 100, count * 10);
  const lines = terminal.errors().split("\r\u001b[K");
  assertEquals(
    lines.at(-1),
    "export  [###############---------------]   50%  500 MiB of 0.98 GiB  100 MiB/s  0:05 left",
  );
  assertEquals(lines.length, 51);
  assert(!terminal.errors().includes("\n"));
  progress.end();
  progress.end();
  assert(terminal.errors().endsWith("left\r\u001b[K"));
});

Deno.test("Progress writes a plain line now and then where nobody looks", () => {
  const { terminal, progress, update } = begin(false);
  for (let count = 1; count <= 110; count++) update(count * 100, count * 5);
  progress.end();
  assertEquals(terminal.errors().split("\n"), [
    "export   25%  250 MiB of 0.98 GiB  50 MiB/s  0:15 left",
    "export   50%  500 MiB of 0.98 GiB  50 MiB/s  0:10 left",
    "",
  ]);
});

Deno.test("Progress needs no total, and does not stumble over a standstill", () => {
  const unknown = begin(true, 0);
  unknown.update(1000, 3);
  assertEquals(unknown.terminal.errors(), "\r\u001b[Kexport  3 MiB  3 MiB/s");
  const still = begin(false);
  still.update(6000, 0);
  assertEquals(
    still.terminal.errors(),
    "export    0%  0 B of 0.98 GiB  0 B/s  ? left\n",
  );
});
