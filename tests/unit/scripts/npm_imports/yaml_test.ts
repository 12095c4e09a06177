import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import * as std from "@std/yaml";
import * as adapter from "../../../../scripts/npm_imports/yaml.ts";

/** What both modules have; where JSR is reached, they are two modules. */
interface Yaml {
  parse(content: string, options?: { allowDuplicateKeys?: boolean }): unknown;
  parseAll(content: string): unknown[];
  stringify(data: unknown, options?: { indent?: number }): string;
}

const MODULES: [name: string, module: Yaml][] = [
  ["@std/yaml", std],
  ["yaml adapter", adapter],
];

const READ: [text: string, value: unknown][] = [
  ["", null],
  ["# nothing but a comment\n", null],
  ["a: 1\nb: text\n", { a: 1, b: "text" }],
  ["---\na: 1\n", { a: 1 }],
  ["- 1\n- [x, { y: z }]", [1, ["x", { y: "z" }]]],
  ["a: true\nb: false\nc: yes\nd: off", {
    a: true,
    b: false,
    c: "yes",
    d: "off",
  }],
  ["a: ~\nb: null\nc:", { a: null, b: null, c: null }],
  ["a: 017\nb: 0o17\nc: 0x1F\nd: 0b11", { a: 15, b: "0o17", c: 31, d: 3 }],
  ["a: 1_000\nb: 1.5\nc: 1e3\nd: .inf", {
    a: 1000,
    b: 1.5,
    c: 1000,
    d: Infinity,
  }],
  ["a: 12:30:45\nb: 127.0.0.1:9595", { a: "12:30:45", b: "127.0.0.1:9595" }],
  ["a: '1'\nb: \"x\\ty\"", { a: "1", b: "x\ty" }],
  ["a: |\n  two\n  lines\nb: >-\n  one\n  line", {
    a: "two\nlines\n",
    b: "one line",
  }],
  ["a: 2001-12-14", { a: new Date("2001-12-14") }],
  ["a: &x { b: 1 }\nc: *x", { a: { b: 1 }, c: { b: 1 } }],
  ["a: &x { b: 1 }\nc:\n  <<: *x\n  d: 2", { a: { b: 1 }, c: { b: 1, d: 2 } }],
  ["1: a", { "1": "a" }],
];

const REFUSED: [what: string, text: string, line: number][] = [
  ["a key given twice", "a: 1\nb: 2\na: 3", 3],
  ["an alias of nothing", "a: 1\nb: *x", 2],
  ["two values on a line", "a: b: c", 1],
  ["a merge of what is no map", "<<: 1", 1],
];

const WRITTEN: unknown[] = [
  { a: 1, b: ["x", { c: null }], d: {}, e: [] },
  {
    quoted: [
      "yes",
      "12",
      "true",
      "",
      "x: y",
      "# no",
      "0x1f",
      " a",
      "2001-12-14",
    ],
  },
  { lines: "one\ntwo\n", long: "word ".repeat(40) + "end" },
  "text",
  null,
];

for (const [name, module] of MODULES) {
  for (const [text, value] of READ) {
    Deno.test(`${name}: parse() reads ${JSON.stringify(text)}`, () => {
      assertEquals(module.parse(text), value);
    });
  }

  for (const [what, text, line] of REFUSED) {
    Deno.test(`${name}: parse() refuses ${what} and names the line`, () => {
      const error = assertThrows(() => module.parse(text), SyntaxError);
      assert(error.message.includes(`at line ${line}, column `), error.message);
    });
  }

  Deno.test(`${name}: parse() refuses bad indents and missing ends`, () => {
    assertThrows(() => module.parse("a: [1"), SyntaxError);
    assertThrows(() => module.parse("a: 1\n  b: 2"), SyntaxError);
    assertThrows(() => module.parse('a: "x'), SyntaxError);
  });

  Deno.test(`${name}: parse() refuses a second document`, () => {
    assertInstanceOf(
      assertThrows(() => module.parse("a: 1\n---\nb: 2")),
      SyntaxError,
    );
    assertEquals(module.parseAll("a: 1\n---\nb: 2"), [{ a: 1 }, { b: 2 }]);
  });

  Deno.test(`${name}: parse() takes the last of two keys if told`, () => {
    const options = { allowDuplicateKeys: true };
    assertEquals(module.parse("a: 1\na: 2", options), { a: 2 });
  });

  Deno.test(`${name}: stringify() writes what parse() reads back`, () => {
    for (const value of WRITTEN) {
      const text = module.stringify(value);
      for (const [, other] of MODULES) assertEquals(other.parse(text), value);
    }
  });

  Deno.test(`${name}: stringify() indents by two and quotes with '`, () => {
    assertEquals(
      module.stringify({ a: { b: ["yes"] }, c: "12" }),
      "a:\n  b:\n    - 'yes'\nc: '12'\n",
    );
  });

  Deno.test(`${name}: stringify() refuses a function`, () => {
    assertThrows(() => module.stringify({ a: () => 1 }), TypeError);
  });
}
