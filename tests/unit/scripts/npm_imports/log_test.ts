import { assert, assertEquals, assertThrows } from "@std/assert";
import * as std from "@std/log";
import * as adapter from "../../../../scripts/npm_imports/log.ts";

/** What both modules have; where JSR is reached, they are two modules. */
type Log = typeof adapter;

const MODULES: [name: string, module: Log][] = [
  ["@std/log", std as unknown as Log],
  ["log adapter", adapter],
];

/** The handler of a module, keeping what it is given. */
function keepingHandler(
  { BaseHandler }: Log,
  level: adapter.LevelName,
  lines: string[],
  formatter?: adapter.FormatterFunction,
): adapter.BaseHandler {
  return new class extends BaseHandler {
    log(msg: string): void {
      lines.push(msg);
    }
  }(level, formatter ? { formatter } : {});
}

/** Runs an action on a folder that is removed afterwards. */
function withFolder(action: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync();
  try {
    action(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Runs an action and returns what it wrote with console.log. */
function consoleLines(action: () => void): unknown[] {
  const lines: unknown[] = [];
  const original = console.log;
  console.log = (...data: unknown[]): void => void lines.push(...data);
  try {
    action();
  } finally {
    console.log = original;
  }
  return lines;
}

for (const [name, module] of MODULES) {
  const { FileHandler, getLogger, Logger, LogLevels, setup } = module;

  Deno.test(`${name}: levels have their numbers and names`, () => {
    assertEquals({ ...LogLevels }, {
      NOTSET: 0,
      DEBUG: 10,
      INFO: 20,
      WARN: 30,
      ERROR: 40,
      CRITICAL: 50,
    });
    for (const levelName of module.LogLevelNames) {
      const level = module.getLevelByName(levelName);
      assertEquals(module.getLevelName(level), levelName);
    }
    assertThrows(() => module.getLevelByName("LOUD" as adapter.LevelName));
  });

  Deno.test(`${name}: a logger passes on what is severe enough`, () => {
    const lines: string[] = [];
    const logger = new Logger("test", "INFO", {
      handlers: [
        keepingHandler(module, "DEBUG", lines),
        keepingHandler(module, "ERROR", lines, (record) => `!${record.msg}`),
      ],
    });
    assertEquals(logger.debug("a"), "a");
    logger.info("b");
    logger.warn("c");
    logger.error("d");
    logger.critical("e");
    assertEquals(lines, [
      "INFO b",
      "WARN c",
      "ERROR d",
      "!d",
      "CRITICAL e",
      "!e",
    ]);
    logger.levelName = "CRITICAL";
    assertEquals(logger.level, LogLevels.CRITICAL);
    logger.error("f");
    assertEquals(lines.length, 6);
  });

  Deno.test(`${name}: a logger calls a function only if it records it`, () => {
    const lines: string[] = [];
    const logger = new Logger("test", "INFO", {
      handlers: [keepingHandler(module, "NOTSET", lines)],
    });
    assertEquals(logger.debug(() => "a"), undefined);
    assertEquals(logger.info(() => "b"), "b");
    assertEquals(lines, ["INFO b"]);
  });

  Deno.test(`${name}: records hold message, arguments, time and logger`, () => {
    const records: adapter.LogRecord[] = [];
    const handler = keepingHandler(module, "NOTSET", [], (record) => {
      records.push(record);
      return "";
    });
    const before = Date.now();
    new Logger("test", "NOTSET", { handlers: [handler] })
      .warn({ a: 1, b: "x" }, { connection: 7 }, 8);
    const [record] = records;
    assert(record);
    assertEquals(record.msg, '{"a":1,"b":"x"}');
    assertEquals(record.args, [{ connection: 7 }, 8]);
    assertEquals(record.level, LogLevels.WARN);
    assertEquals(record.levelName, "WARN");
    assertEquals(record.loggerName, "test");
    const time = record.datetime.getTime();
    assert(time >= before && time <= Date.now());
  });

  Deno.test(`${name}: jsonFormatter() writes one object`, () => {
    const record = new module.LogRecord({
      msg: "a",
      args: [{ b: 1 }],
      level: LogLevels.INFO,
      loggerName: "test",
    });
    const made: unknown = JSON.parse(module.formatters.jsonFormatter(record));
    assertEquals(made, {
      level: "INFO",
      datetime: record.datetime.getTime(),
      message: "a",
      args: { b: 1 },
    });
  });

  Deno.test(`${name}: ConsoleHandler writes lines, coloured if told`, () => {
    const write = (useColors: boolean): unknown[] =>
      consoleLines(() => {
        const handler = new module.ConsoleHandler("INFO", { useColors });
        new Logger("test", "NOTSET", { handlers: [handler] }).error("a");
        new Logger("test", "NOTSET", { handlers: [handler] }).debug("b");
      });
    assertEquals(write(false), ["ERROR a"]);
    const red = Deno.noColor ? "ERROR a" : "\x1b[31mERROR a\x1b[39m";
    assertEquals(write(true), [red]);
  });

  Deno.test(`${name}: FileHandler appends at flush() and destroy()`, () => {
    withFolder((folder) => {
      const filename = `${folder}/test.log`;
      for (const text of ["a", "b"]) {
        const handler = new FileHandler("INFO", { filename });
        handler.setup();
        const logger = new Logger("test", "INFO", { handlers: [handler] });
        logger.info(text);
        handler.flush();
        logger.info(text.repeat(5000));
        logger.warn(text);
        handler.destroy();
      }
      const written = Deno.readTextFileSync(filename).split("\n");
      assertEquals(written, [
        "INFO a",
        `INFO ${"a".repeat(5000)}`,
        "WARN a",
        "INFO b",
        `INFO ${"b".repeat(5000)}`,
        "WARN b",
        "",
      ]);
    });
  });

  Deno.test(`${name}: RotatingFileHandler keeps so many files`, () => {
    withFolder((folder) => {
      const filename = `${folder}/test.log`;
      const handler = new module.RotatingFileHandler("INFO", {
        filename,
        maxBytes: 20,
        maxBackupCount: 2,
      });
      handler.setup();
      const logger = new Logger("test", "INFO", { handlers: [handler] });
      for (let i = 10; i < 18; i++) logger.info(i); // 8 bytes a line
      handler.destroy();
      const contents = [...Deno.readDirSync(folder)]
        .map((entry) => entry.name).sort()
        .map((file) => [file, Deno.readTextFileSync(`${folder}/${file}`)]);
      assertEquals(contents, [
        ["test.log", "INFO 16\nINFO 17\n"],
        ["test.log.1", "INFO 14\nINFO 15\n"],
        ["test.log.2", "INFO 12\nINFO 13\n"],
      ]);
    });
  });

  Deno.test(`${name}: setup() makes what getLogger() returns`, () => {
    const lines: string[] = [];
    setup({
      handlers: { keep: keepingHandler(module, "NOTSET", lines) },
      loggers: { sync: { level: "WARN", handlers: ["keep", "none"] } },
    });
    try {
      getLogger("sync").info("a");
      getLogger("sync").warn("b");
      getLogger("other").critical("c");
      assertEquals(lines, ["WARN b"]);
      assertEquals(getLogger("other").loggerName, "other");
      assertEquals(getLogger().levelName, "INFO");
    } finally {
      setup({});
    }
  });
}
