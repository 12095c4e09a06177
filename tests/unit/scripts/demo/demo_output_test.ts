import { assert, assertEquals } from "@std/assert";
import { DemoOutput } from "../../../../scripts/demo/demo_output.ts";
import { madeSnapshot } from "./made_snapshot.ts";

/** An output that keeps what is written, with a clock that is set by hand. */
function memoryOutput(options: { terminal: boolean }) {
  const written: string[] = [];
  const clock = { nowMs: 0 };
  const write = (text: string): void => void written.push(text);
  const size = () => ({ columns: 80, rows: 24 });
  const output = new DemoOutput({
    write,
    terminal: options.terminal ? { write, size, color: false } : undefined,
    now: () => clock.nowMs,
  });
  return { output, written, clock };
}

Deno.test("DemoOutput writes plain lines where there is no terminal", () => {
  const { output, written } = memoryOutput({ terminal: false });
  output.say("begins");
  output.show(madeSnapshot());
  output.redraw();
  output[Symbol.dispose]();
  output.say("ends");
  assertEquals(written.length, 3);
  assertEquals(written[0], "begins\n");
  assert(written[1]!.startsWith("  12 s  source 3e11fa47…:1-2541"));
  assertEquals(written[2], "ends\n");
  assert(written.every((text) => !text.includes("\x1b")));
});

Deno.test("DemoOutput.progress() writes a plain line every two seconds", () => {
  const { output, written, clock } = memoryOutput({ terminal: false });
  for (clock.nowMs = 0; clock.nowMs <= 4_500; clock.nowMs += 500) {
    output.progress(`at ${clock.nowMs}`);
  }
  assertEquals(written, ["at 0\n", "at 2000\n", "at 4000\n"]);
});

Deno.test("DemoOutput.progress() is overwritten on a terminal", () => {
  const { output, written } = memoryOutput({ terminal: true });
  output.progress("10 %");
  output.progress("20 %");
  output.say("done");
  output.say("more");
  assertEquals(written, [
    "\r\x1b[K10 %",
    "\r\x1b[K20 %",
    "\r\x1b[Kdone\n",
    "more\n",
  ]);
});

Deno.test("DemoOutput draws on a terminal until it is disposed of", () => {
  const { output, written } = memoryOutput({ terminal: true });
  output.redraw();
  assertEquals(written, []);
  assertEquals(output.live, false);
  output.show(madeSnapshot());
  assertEquals(output.live, true);
  output.redraw();
  assertEquals(written.length, 2);
  assert(written[1]!.includes("binlog.000002:482,113"));
  output[Symbol.dispose]();
  assertEquals(written[2], "\x1b[?25h\x1b[?1049l");
  assertEquals(output.live, false);
  output.redraw();
  output.say("ends");
  assertEquals(written.slice(3), ["ends\n"]);
});
