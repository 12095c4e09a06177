import { assertEquals, assertThrows } from "@std/assert";
import { EventParser } from "../../../../lib/admin/page/event_parser.js";
import { eventText } from "../../../../lib/admin/live/event_text.ts";

/** Gives a text to a parser in pieces of that size. */
function parse(text: string, pieceChars: number): unknown[] {
  const parser = new EventParser();
  const events: unknown[] = [];
  for (let at = 0; at < text.length; at += pieceChars) {
    events.push(...parser.push(text.slice(at, at + pieceChars)));
  }
  return events;
}

const STREAM = [
  "retry: 2000\n\n",
  eventText(1, "history", { value: { samples: [] } }),
  ":\n\n",
  eventText(2, "status", { value: { name: "line\nbreak: é ☃" } }),
  "data: first\r\ndata:second\r\n\r\n",
  "event: lone\rdata\r\r",
  "event: nothing\n\n",
  "data: no name after one without data\n\n",
  "data: not ended\n",
].join("");

const EVENTS = [
  { name: "history", data: '{"samples":[]}' },
  { name: "status", data: '{"name":"line\\nbreak: é ☃"}' },
  { name: "message", data: "first\nsecond" },
  { name: "lone", data: "" },
  { name: "message", data: "no name after one without data" },
];

Deno.test("EventParser.push() gives each event, however the text is cut", () => {
  for (const pieceChars of [1, 2, 3, 7, 50, STREAM.length]) {
    assertEquals(parse(STREAM, pieceChars), EVENTS, String(pieceChars));
  }
});

Deno.test("EventParser.push() refuses an event without an end", () => {
  const parser = new EventParser();
  const piece = "x".repeat(2 ** 24);
  parser.push("data: ");
  assertThrows(() => {
    for (let count = 0; count < 5; count++) parser.push(piece);
  }, RangeError);
});
