import { assert, assertEquals } from "@std/assert";
import { Screen } from "../../../../scripts/demo/screen.ts";

/** A terminal that keeps what is written to it. */
function memoryTerminal() {
  const written: string[] = [];
  const size = { columns: 20, rows: 3 };
  return {
    written,
    resize: (columns: number, rows: number) => {
      Object.assign(size, { columns, rows });
    },
    write: (text: string) => void written.push(text),
    size: () => ({ ...size }),
    color: false,
  };
}

Deno.test("Screen takes the terminal with the first frame, and gives it back", () => {
  const terminal = memoryTerminal();
  {
    using screen = new Screen(terminal);
    assertEquals(terminal.written, []);
    screen.draw(() => [[{ text: "one" }]]);
    screen.draw(() => [[{ text: "two" }]]);
  }
  const [first, second, last, ...more] = terminal.written;
  assert(first!.startsWith("\x1b[?1049h\x1b[?25l"));
  assert(first!.includes("one\x1b[K"));
  assert(!second!.includes("?1049h") && second!.includes("\x1b[Htwo\x1b[K"));
  assertEquals(last, "\x1b[?25h\x1b[?1049l");
  assertEquals(more, []);
});

Deno.test("Screen gives back nothing that it did not take, nor twice", () => {
  const terminal = memoryTerminal();
  const screen = new Screen(terminal);
  screen[Symbol.dispose]();
  assertEquals(terminal.written, []);
  screen.draw(() => []);
  screen[Symbol.dispose]();
  screen[Symbol.dispose]();
  assertEquals(terminal.written.length, 2);
});

Deno.test("Screen cuts frames to the size the terminal has at the time", () => {
  const terminal = memoryTerminal();
  using screen = new Screen(terminal);
  const frame = (columns: number) =>
    [1, 2, 3, 4].map((line) => [{ text: `${line}`.repeat(columns + 5) }]);
  screen.draw(frame);
  const first = terminal.written[0]!;
  const lines = ["1", "2", "3"].map((digit) => digit.repeat(20) + "\x1b[K");
  assert(first.includes(`\x1b[H${lines.join("\r\n")}\x1b[J`));
  terminal.resize(5, 2);
  screen.draw(frame);
  const second = terminal.written[1]!;
  assert(second.includes("11111\x1b[K\r\n22222\x1b[K\x1b[J"));
  assert(!second.includes("111111") && !second.includes("333"));
});
