import { assertEquals } from "@std/assert";
import { grantedRights } from "../../../lib/config/right.ts";
import type { LogPurger, PurgeTarget } from "../../../lib/server/log_purger.ts";
import { answerStatement } from "../../../lib/server/statement.ts";
import { purgeWarnings } from "../../../lib/server/statement_purge.ts";
import type { StatementResult } from "../../../lib/server/statement_result.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { statementSession } from "./statement_session.ts";
import { TestServer } from "./test_server.ts";

const NOW_MS = 1_795_408_882_999;
const NOW_SECOND_MS = 1_795_408_882_000;
const DAY_MS = 86_400_000;

function answer(
  statement: string,
  { isAdmin = true, zone = "" } = {},
): StatementResult {
  const session = statementSession();
  if (zone !== "") {
    const set = `SET time_zone = '${zone}'`;
    session.apply(answerStatement(set, session.context()));
  }
  const context = session.context();
  return answerStatement(statement, {
    ...context,
    nowMs: NOW_MS,
    session: {
      ...context.session,
      rights: grantedRights(isAdmin ? ["admin"] : ["replicate", "monitor"]),
    },
  });
}

function targetOf(statement: string, zone = ""): PurgeTarget | string {
  const result = answer(statement, { zone });
  if (result.kind === "purge") return result.target;
  if (result.kind === "error") return String(result.code);
  const [warning] = result.kind === "ok" ? result.warnings ?? [] : [];
  return warning === undefined ? result.kind : warning.message;
}

/** What `PURGE BINARY LOGS BEFORE` takes an expression for. */
function before(expression: string, zone = ""): string {
  const target = targetOf(`PURGE BINARY LOGS BEFORE ${expression}`, zone);
  if (typeof target === "string") return target;
  return "beforeMs" in target
    ? new Date(target.beforeMs).toISOString()
    : target.to;
}

Deno.test("PURGE LOGS TO takes a file's name, in either spelling", () => {
  const to = { to: "binlog.000007" };
  assertEquals(targetOf("PURGE BINARY LOGS TO 'binlog.000007'"), to);
  assertEquals(targetOf("purge master logs to 'binlog.000007';"), to);
  assertEquals(targetOf("PURGE BINARY LOGS TO ''"), { to: "" });
});

Deno.test("PURGE LOGS refuses what MySQL refuses", () => {
  const wrong = [
    "PURGE",
    "PURGE LOGS TO 'a'",
    "PURGE BINARY LOGS",
    "PURGE BINARY LOGS TO 2",
    "PURGE BINARY LOGS TO binlog",
    "PURGE BINARY LOGS TO 'a', 'b'",
    "PURGE BINARY LOGS BEFORE",
    "PURGE BINARY LOGS BEFORE 1,2",
    "PURGE BINARY LOGS BEFORE (SELECT 1)",
    "PURGE BINARY LOGS BEFORE NOW() - INTERVAL 1",
    "PURGE BINARY LOGS BEFORE NOW() - INTERVAL 1 FORTNIGHT",
    "PURGE BINARY LOGS BEFORE NOW(7)",
    `PURGE BINARY LOGS BEFORE ${"(".repeat(100)}1${")".repeat(100)}`,
  ];
  for (const statement of wrong) {
    assertEquals([statement, targetOf(statement)], [statement, "1064"]);
  }
  assertEquals(targetOf("PURGE BINARY LOGS BEFORE x"), "1054");
});

Deno.test("PURGE LOGS is for accounts that may, once it is well-formed", () => {
  for (const rest of ["TO 'binlog.000001'", "BEFORE NOW()", "BEFORE 'x'"]) {
    const result = answer(`PURGE BINARY LOGS ${rest}`, { isAdmin: false });
    assertEquals(result, {
      kind: "error",
      code: 1227,
      sqlState: "42000",
      message:
        "Access denied; you need (at least one of) the SUPER or BINLOG_ADMIN privilege(s) for this operation",
    });
  }
  const broken = answer("PURGE BINARY LOGS TO 2", { isAdmin: false });
  assertEquals(broken.kind === "error" && broken.code, 1064);
});

Deno.test("PURGE LOGS BEFORE takes dates and times as text and as number", () => {
  const noon = "2020-02-29T12:34:56.000Z";
  const midnight = "2020-02-29T00:00:00.000Z";
  const cases: [string, string][] = [
    ["'2020-02-29 12:34:56'", noon],
    ["'2020-02-29T12:34:56'", noon],
    ["'2020-2-29 12:34:56'", noon],
    ["'20-02-29 12:34:56'", noon],
    ["'2020.02.29 12.34.56'", noon],
    ["'2020-02-29 12:34:56.789999'", "2020-02-29T12:34:56.789Z"],
    ["'2020-02-29 12:34:56Z'", noon],
    ["'2020-02-29 13:34:56+01:00'", noon],
    ["'2020-02-29'", midnight],
    ["'20200229'", midnight],
    ["'20200229123456'", noon],
    ["20200229", midnight],
    ["20200229123456", noon],
    ["200229123456", noon],
    ["('2020-02-29 12:34:56')", noon],
    ["'1999-12-31'", "1999-12-31T00:00:00.000Z"],
    ["'70-01-01'", "1970-01-01T00:00:00.000Z"],
    ["'9999-12-31 23:59:59'", "9999-12-31T23:59:59.000Z"],
    ["FROM_UNIXTIME(1582979696)", noon],
  ];
  for (const [expression, time] of cases) {
    assertEquals([expression, before(expression)], [expression, time]);
  }
});

Deno.test("PURGE LOGS BEFORE knows the present time and intervals", () => {
  const at = (ms: number) => new Date(NOW_SECOND_MS + ms).toISOString();
  const cases: [string, string][] = [
    ["NOW()", at(0)],
    ["now(6)", at(0)],
    ["CURRENT_TIMESTAMP", at(0)],
    ["SYSDATE()", at(0)],
    ["NOW() - INTERVAL 3 DAY", at(-3 * DAY_MS)],
    ["NOW() - INTERVAL '3' DAY - INTERVAL 1 HOUR", at(-3 * DAY_MS - 3_600_000)],
    ["NOW() + INTERVAL -90 SECOND", at(-90_000)],
    ["DATE_SUB(NOW(), INTERVAL 1 WEEK)", at(-7 * DAY_MS)],
    [
      "DATE_ADD(DATE_SUB(NOW(), INTERVAL 2 MINUTE), INTERVAL 1 MINUTE)",
      at(-60_000),
    ],
    ["'2020-03-31' - INTERVAL 1 MONTH", "2020-02-29T00:00:00.000Z"],
    ["'2020-02-29' + INTERVAL 1 YEAR", "2021-02-28T00:00:00.000Z"],
    ["'2020-01-31' + INTERVAL 1 QUARTER", "2020-04-30T00:00:00.000Z"],
    ["CURDATE()", `${at(0).slice(0, 10)}T00:00:00.000Z`],
    ["CURRENT_DATE", `${at(0).slice(0, 10)}T00:00:00.000Z`],
  ];
  for (const [expression, time] of cases) {
    assertEquals([expression, before(expression)], [expression, time]);
  }
});

Deno.test("PURGE LOGS BEFORE takes the session's time zone, or refuses it", () => {
  const text = "'2020-02-29 12:00:00'";
  assertEquals(before(text, "+02:00"), "2020-02-29T10:00:00.000Z");
  assertEquals(before(text, "-05:30"), "2020-02-29T17:30:00.000Z");
  assertEquals(before(text, "SYSTEM"), "2020-02-29T12:00:00.000Z");
  const now = new Date(NOW_SECOND_MS).toISOString();
  assertEquals(before("NOW()", "+02:00"), now);
  assertEquals(
    before("FROM_UNIXTIME(0)", "+02:00"),
    "1970-01-01T00:00:00.000Z",
  );
  assertEquals(
    before("'2020-02-29 12:00:00Z'", "+02:00"),
    "2020-02-29T12:00:00.000Z",
  );
  for (const zone of ["Europe/Rome", "+15:00", "+01:75"]) {
    assertEquals(before(text, zone), "1298");
  }
});

Deno.test("PURGE LOGS BEFORE a value that is no time removes nothing and warns", () => {
  const wrong = [
    "garbage",
    "",
    "2020-13-01",
    "2020-02-30",
    "2020-02-29 24:00:00",
    "2020-02-29 12:00:00 and more",
    "2020-02-29 12:00:00+99:00",
  ];
  for (const text of wrong) {
    assertEquals(before(`'${text}'`), `Incorrect datetime value: '${text}'`);
  }
  assertEquals(before("5"), "Incorrect datetime value: '5'");
  assertEquals(before("NULL"), "ok");
  assertEquals(before("NULL + INTERVAL 1 DAY"), "ok");
  assertEquals(before("'2020-01-01' - INTERVAL 99999 YEAR"), "ok");
});

Deno.test("purgeWarnings() says what stays, in MySQL's words", () => {
  const usual = {
    removed: ["binlog.000001", "binlog.000002"],
    asked: 5,
    firstKept: "binlog.000003",
    keptActive: false,
    heldBy: [],
  };
  assertEquals(purgeWarnings(usual), []);
  const reader = {
    kind: "connected" as const,
    name: "10.0.0.1:5",
    fileName: "binlog.000003",
  };
  assertEquals(
    purgeWarnings({
      ...usual,
      heldBy: [reader, { ...reader, fileName: "binlog.000004" }, reader],
    }),
    [{
      code: 1867,
      message:
        "file ./binlog.000003 was not purged because it was being read by 2 thread(s), purged only 2 out of 5 files.",
    }],
  );
  const declared = { ...reader, kind: "declared" as const, name: "reports" };
  assertEquals(
    purgeWarnings({ ...usual, heldBy: [declared] })[0]?.message,
    "file ./binlog.000003 was not purged because replica reports needs it, purged only 2 out of 5 files.",
  );
  assertEquals(
    purgeWarnings({ ...usual, heldBy: [{ ...declared, fileName: "" }] })[0]
      ?.message,
    "file ./binlog.000003 was not purged because replica reports needs everything, purged only 2 out of 5 files.",
  );
  assertEquals(purgeWarnings({ ...usual, keptActive: true }), [{
    code: 1868,
    message:
      "file ./binlog.000003 was not purged because it is the active log file.",
  }]);
});

const ADMIN = {
  server: {
    accounts: [
      { name: "repl", password: "replpass" },
      { name: "keeper", password: "keeperpass", rights: ["admin"] as const },
    ],
  },
};
const KEEPER = { user: "keeper", password: "keeperpass" };

Deno.test("Session purges for an account that may, and keeps the warnings for SHOW WARNINGS", async () => {
  const targets: PurgeTarget[] = [];
  const purger: LogPurger = {
    purge: (target) => {
      targets.push(target);
      return Promise.resolve({
        removed: [],
        asked: 1,
        firstKept: "binlog.000001",
        keptActive: true,
        heldBy: [],
      });
    },
  };
  await using server = await TestServer.start({ ...ADMIN, purger });
  await using client = await server.connect(KEEPER);
  await client.query("PURGE BINARY LOGS BEFORE '2030-01-01'");
  assertEquals(targets, [{ beforeMs: Date.UTC(2030, 0, 1) }]);
  const warnings = [[
    "Warning",
    "1868",
    "file ./binlog.000001 was not purged because it is the active log file.",
  ]];
  assertEquals((await client.query("SHOW WARNINGS")).rows, warnings);
  assertEquals((await client.query("SHOW WARNINGS")).rows, warnings);
  assertEquals((await client.query("SHOW WARNINGS LIMIT 1, 5")).rows, []);
  assertEquals((await client.query("SHOW ERRORS")).rows, []);
  await client.query("PURGE BINARY LOGS BEFORE ''");
  assertEquals((await client.query("SHOW WARNINGS")).rows, [
    ["Warning", "1292", "Incorrect datetime value: ''"],
  ]);
  await client.query("SET @a = 1");
  assertEquals((await client.query("SHOW WARNINGS")).rows, []);
  assertEquals(targets.length, 1);
  await using other = await server.connect();
  assertEquals(await codeOf(other.query("PURGE BINARY LOGS TO 'a'")), 1227);
  assertEquals(targets.length, 1);
});

Deno.test("Session answers 1373 for a file that the log does not have, and stays", async () => {
  const purger = { purge: () => Promise.resolve(undefined) };
  await using server = await TestServer.start({ ...ADMIN, purger });
  await using client = await server.connect(KEEPER);
  assertEquals(
    await codeOf(client.query("PURGE BINARY LOGS TO 'binlog.000099'")),
    1373,
  );
  assertEquals((await client.query("SELECT 1")).rows, [["1"]]);
});

async function codeOf(query: Promise<unknown>): Promise<number> {
  try {
    await query;
  } catch (error) {
    if (error instanceof ServerError) return error.code;
    throw error;
  }
  return 0;
}
