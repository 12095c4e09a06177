import { assertEquals } from "@std/assert";
import {
  parseArgs as stdParseArgs,
  unicodeWidth as stdUnicodeWidth,
} from "@std/cli";
import { ProgressBar as StdProgressBar } from "@std/cli/unstable-progress-bar";
import {
  parseArgs as adapterParseArgs,
  unicodeWidth as adapterUnicodeWidth,
} from "../../../../scripts/npm_imports/cli.ts";
import { ProgressBar as AdapterProgressBar } from "../../../../scripts/npm_imports/progress_bar.ts";
import { waitUntil } from "../../../../scripts/test_servers/wait_until.ts";

/** What both modules take; where JSR is reached, they are two modules. */
type ParseArgs = (
  args: readonly string[],
  options?: Record<string, unknown>,
) => Record<string, unknown>;

const MODULES: [name: string, parseArgs: ParseArgs][] = [
  ["@std/cli", stdParseArgs as unknown as ParseArgs],
  ["cli adapter", adapterParseArgs as unknown as ParseArgs],
];

interface Case {
  what: string;
  args: string[];
  options?: Record<string, unknown>;
  parsed: Record<string, unknown>;
}

const CASES: Case[] = [
  { what: "no arguments", args: [], parsed: { _: [] } },
  {
    what: "words, numbers as numbers",
    args: ["serve", "12", "-"],
    parsed: { _: ["serve", 12, "-"] },
  },
  {
    what: "words as strings",
    args: ["12"],
    options: { string: ["_"] },
    parsed: { _: ["12"] },
  },
  {
    what: "values with = and without",
    args: ["--config=a.yaml", "--name", "x", "--rest=a=b"],
    parsed: { _: [], config: "a.yaml", name: "x", rest: "a=b" },
  },
  {
    what: "numbers, and strings that look like one",
    args: ["--port=3390", "--id", "0010"],
    options: { string: "id" },
    parsed: { _: [], port: 3390, id: "0010" },
  },
  {
    what: "a string without a value",
    args: ["--config", "--help"],
    options: { string: ["config"], boolean: ["help"] },
    parsed: { _: [], config: "", help: true },
  },
  {
    what: "an empty value",
    args: ["--config="],
    options: { string: ["config"] },
    parsed: { _: [], config: "" },
  },
  {
    what: "booleans, which take no value but true and false",
    args: ["--json", "serve", "--help=false", "--deep", "true"],
    options: { boolean: ["json", "help", "deep", "other"] },
    parsed: { _: ["serve"], json: true, help: false, deep: true, other: false },
  },
  {
    what: "an option that is not declared takes the next word",
    args: ["--zone", "a", "--last"],
    parsed: { _: [], zone: "a", last: true },
  },
  {
    what: "aliases",
    args: ["-c", "a", "-h"],
    options: {
      string: ["config"],
      boolean: ["help"],
      alias: { config: "c", help: ["h", "?"] },
    },
    parsed: { _: [], c: "a", config: "a", h: true, help: true, "?": true },
  },
  {
    what: "groups of short options",
    args: ["-vq", "-xo", "out"],
    options: { boolean: ["v", "q"] },
    parsed: { _: [], v: true, q: true, x: true, o: "out" },
  },
  {
    what: "values attached to short options",
    args: ["-p5", "-c=a", "-n", "-1"],
    options: { string: ["c"] },
    parsed: { _: [], p: 5, c: "a", n: true, "1": true },
  },
  {
    what: "defaults",
    args: ["--port", "1"],
    options: { default: { port: 3390, name: "kingbus" } },
    parsed: { _: [], port: 1, name: "kingbus" },
  },
  {
    what: "the last of several",
    args: ["--level=info", "--level=debug"],
    options: { string: ["level"] },
    parsed: { _: [], level: "debug" },
  },
  {
    what: "all of several",
    args: ["--user=a", "--user", "b"],
    options: { string: ["user", "other"], collect: ["user", "other"] },
    parsed: { _: [], user: ["a", "b"], other: [] },
  },
  {
    what: "negation, only where declared",
    args: ["--no-color", "--no-cache"],
    options: {
      boolean: ["color"],
      negatable: ["color"],
      default: { color: true },
    },
    parsed: { _: [], color: false, "no-cache": true },
  },
  {
    what: "what follows -- joined to the rest",
    args: ["a", "--", "--help", "b"],
    options: { boolean: ["help"] },
    parsed: { _: ["a", "--help", "b"], help: false },
  },
  {
    what: "what follows -- apart",
    args: ["a", "--", "--help", "b"],
    options: { "--": true },
    parsed: { _: ["a"], "--": ["--help", "b"] },
  },
];

for (const [name, parseArgs] of MODULES) {
  for (const { what, args, options, parsed } of CASES) {
    Deno.test(`${name}: parseArgs() reads ${what}`, () => {
      assertEquals(parseArgs(args, options), parsed);
    });
  }

  Deno.test(`${name}: parseArgs() asks about what is not declared`, () => {
    const asked: unknown[][] = [];
    const parsed = parseArgs(["serve", "--wrong=1", "-w", "--config", "a"], {
      string: ["config"],
      unknown: (...words: unknown[]): boolean => {
        asked.push(words);
        return words[1] === undefined;
      },
    });
    assertEquals(parsed, { _: ["serve"], config: "a" });
    assertEquals(asked.map(([arg, key]) => [arg, key]), [
      ["serve", undefined],
      ["--wrong=1", "wrong"],
      ["-w", "w"],
    ]);
  });
}

Deno.test("parseArgs() types what is declared", () => {
  const args = stdParseArgs(["--config", "a", "--user", "b", "rest"], {
    string: ["config", "user", "level"],
    boolean: ["help"],
    collect: ["user"],
    default: { level: "info" },
    alias: { config: "c" },
  });
  // each line would not compile if the declared type were another
  const config: string | undefined = args.config;
  const users: string[] = args.user;
  const level: string = args.level;
  const help: boolean = args.help;
  const rest: (string | number)[] = args._;
  assertEquals(
    { config, users, level, help, rest },
    { config: "a", users: ["b"], level: "info", help: false, rest: ["rest"] },
  );
});

for (
  const [name, unicodeWidth] of [
    ["@std/cli", stdUnicodeWidth],
    ["cli adapter", adapterUnicodeWidth],
  ] as const
) {
  Deno.test(`${name}: unicodeWidth() counts columns`, () => {
    for (
      const [text, width] of [
        ["", 0],
        ["hello", 5],
        ["na\u00efve", 5],
        ["\u6570\u636e\u5e93", 6],
        ["\uff46\uff55\uff4c\uff4c", 8],
        ["e\u0301", 1],
        ["\u{1f980}", 2],
        ["a\u200bb", 2],
        ["\u001b", 0],
      ] as const
    ) assertEquals(unicodeWidth(text), width, JSON.stringify(text));
  });
}

for (
  const [name, ProgressBar] of [
    ["@std/cli", StdProgressBar],
    ["progress bar adapter", AdapterProgressBar],
  ] as const
) {
  Deno.test(`${name}: ProgressBar draws by itself until it is stopped`, async () => {
    for (
      const [clear, end] of [[true, "\r\u001b[K"], [false, "\n"]] as const
    ) {
      let written = "";
      const decoder = new TextDecoder();
      const bar = new ProgressBar({
        writable: new WritableStream({
          write: (chunk: Uint8Array) => {
            written += decoder.decode(chunk);
          },
        }),
        max: 10,
        value: 1,
        barLength: 10,
        interval: 10,
        clear,
        formatter: ({ progressBar, value, max }) =>
          `${progressBar} ${value}/${max}`,
      });
      await waitUntil(
        "the first line was drawn",
        () => written.startsWith("\r\u001b[K#--------- 1/10"),
        { intervalMs: 5 },
      );
      bar.value = 5;
      await waitUntil(
        "another line was drawn",
        () => written.includes("\r\u001b[K#####----- 5/10"),
        { intervalMs: 5 },
      );
      bar.value = 20;
      await bar.stop();
      assertEquals(written.endsWith(end), true, JSON.stringify(written));
      if (!clear) {
        assertEquals(
          written.endsWith("\r\u001b[K########## 20/10\n"),
          true,
          JSON.stringify(written),
        );
      }
    }
  });
}
