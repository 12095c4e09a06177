import { assertEquals } from "@std/assert";
import {
  renderLine,
  type ViewLine,
} from "../../../../scripts/demo/view_line.ts";

const LINE: ViewLine = [
  { text: "lag ", look: "bold" },
  { text: "3 ms" },
  { text: " ▁▂█", look: "cyan" },
];

Deno.test("renderLine() writes looks only if they are shown", () => {
  assertEquals(renderLine(LINE, 80, false), "lag 3 ms ▁▂█");
  assertEquals(
    renderLine(LINE, 80, true),
    "\x1b[1mlag \x1b[0m3 ms\x1b[36m ▁▂█\x1b[0m",
  );
});

Deno.test("renderLine() cuts by what is seen, not by what is written", () => {
  assertEquals(
    renderLine(LINE, 10, true),
    "\x1b[1mlag \x1b[0m3 ms\x1b[36m ▁\x1b[0m",
  );
  assertEquals(renderLine(LINE, 8, true), "\x1b[1mlag \x1b[0m3 ms");
  assertEquals(renderLine(LINE, 0, true), "");
});
