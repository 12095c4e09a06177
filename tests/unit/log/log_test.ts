import { assert, assertEquals, assertMatch } from "@std/assert";
import { type LogLevel, openLog, silentLog } from "../../../lib/log/log.ts";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /;

function captured(
  level: LogLevel = "info",
  format: "text" | "json" = "text",
): { log: ReturnType<typeof openLog>; lines: string[] } {
  const lines: string[] = [];
  const log = openLog({ level, format, write: (line) => lines.push(line) });
  return { log, lines };
}

Deno.test("openLog() writes one text line with fields", () => {
  const { log, lines } = captured();
  log.info("replica connected", {
    connection: 7n,
    remote: "127.0.0.1:4711",
    host: "a b",
    gone: undefined,
    empty: "",
  });
  assertEquals(lines.length, 1);
  assertMatch(lines[0]!, TIME);
  assertEquals(
    lines[0]!.replace(TIME, ""),
    'INFO  replica connected connection=7 remote=127.0.0.1:4711 host="a b" empty=""\n',
  );
});

Deno.test("openLog() writes JSON objects that parse, with big integers as text", () => {
  const { log, lines } = captured("info", "json");
  log.warn("slow", { bytes: 2n ** 63n, ok: true, ratio: 0.5, time: "x" });
  assert(lines[0]!.endsWith("}\n"));
  const { time, ...rest } = JSON.parse(lines[0]!);
  assertMatch(`${time} `, TIME);
  assertEquals(rest, {
    level: "warn",
    message: "slow",
    bytes: "9223372036854775808",
    ok: true,
    ratio: 0.5,
    time_: "x",
  });
});

Deno.test("openLog() leaves out lines below its level", () => {
  const levels: LogLevel[] = ["debug", "info", "warn", "error"];
  for (const [index, level] of levels.entries()) {
    const { log, lines } = captured(level);
    log.debug("d");
    log.info("i");
    log.warn("w");
    log.error("e");
    assertEquals(lines.length, levels.length - index, level);
  }
});

Deno.test("Log.debug() builds no fields when the level is off", () => {
  const fail = (): never => {
    throw new Error("built");
  };
  captured("info").log.debug("x", fail);
  const { log, lines } = captured("debug");
  log.debug("x", () => ({ a: 1 }));
  assertMatch(lines[0]!, /DEBUG x a=1\n$/);
});

Deno.test("Log.child() adds its fields to each line, the line's own win", () => {
  const { log, lines } = captured();
  const child = log.child({ connection: 3 }).child({ replica: "r1" });
  child.info("a");
  child.error("b", { replica: "r2" });
  assertMatch(lines[0]!, /INFO {2}a connection=3 replica=r1\n$/);
  assertMatch(lines[1]!, /ERROR b connection=3 replica=r2\n$/);
});

Deno.test("openLog() keeps a record on one line whatever is in it", () => {
  const { log, lines } = captured();
  log.info("two\nlines\u001b[31m", { user: 'x"\r\ny\\', "na\nme": "v" });
  assertEquals(
    lines[0]!.replace(TIME, ""),
    'INFO  two\\nlines\\u001b[31m user="x\\"\\u000d\\ny\\\\" na\\nme=v\n',
  );
});

Deno.test("openLog() cuts texts that are too long", () => {
  const { log, lines } = captured();
  log.info("x".repeat(100_000), { statement: "y".repeat(100_000) });
  assert(lines[0]!.length < 20_000);
});

Deno.test("openLog() never writes the value of a secret-named field", () => {
  for (const format of ["text", "json"] as const) {
    const { log, lines } = captured("debug", format);
    const names = [
      "password",
      "source_password",
      "mysqlPassword",
      "passwd",
      "pwd",
      "secret",
      "clientSecret",
      "token",
      "admin-tokens",
      "authorization",
      "private_key",
      "scramble",
      "authResponse",
    ];
    for (const name of names) {
      log.child({ [name]: "hunter2" }).debug("m", { [name]: "hunter2" });
      log.info("m", { [name]: 4711 });
    }
    assert(lines.length === 2 * names.length);
    for (const line of lines) {
      assert(!/hunter2|4711/.test(line), line);
      assert(line.includes("[redacted]"), line);
    }
  }
});

Deno.test("openLog() takes passwords out of addresses and statements", () => {
  const { log, lines } = captured();
  const said = [
    "mysql://repl:hunter2@db:3306/x refused",
    "CREATE USER a IDENTIFIED BY 'hunter2'",
    "alter user a identified with caching_sha2_password by 'hunter''2hunter2'",
    "SET PASSWORD FOR 'a'@'h' = 'hunter2'",
    "SET PASSWORD = PASSWORD('hunter2')",
    "CHANGE MASTER TO MASTER_PASSWORD='hunter2', MASTER_PORT=1",
    "set password = 'hunter2",
  ];
  for (const text of said) {
    log.info(text);
    log.info("statement", { statement: text });
  }
  for (const line of lines) assert(!line.includes("hunter2"), line);
  assert(lines[10]!.includes("MASTER_PORT=1"));
});

Deno.test("silentLog() takes everything", () => {
  const log = silentLog();
  log.child({ a: 1 }).debug("x");
  log.info("x");
  log.warn("x");
  log.error("x", { b: 2n });
});
