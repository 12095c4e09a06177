import { assertEquals, assertStringIncludes } from "@std/assert";
import type { ReadinessCheck } from "../../../lib/admin/readiness.ts";
import { readyCommand } from "../../../lib/cli/ready_command.ts";
import { runCli } from "../../../lib/cli/run_cli.ts";
import type { Terminal } from "../../../lib/cli/terminal.ts";
import { memoryTerminal } from "./memory_terminal.ts";

const RUNNING: ReadinessCheck = {
  part: "node",
  ready: true,
  detail: "running",
};
const SOURCE_AWAY: ReadinessCheck = {
  part: "syncer",
  ready: false,
  detail: "waiting, not following db1:3306: connection refused",
};
const NOT_LISTENING: ReadinessCheck = {
  part: "server",
  ready: false,
  detail: "not listening on 127.0.0.1:3390",
};

function unready(...checks: ReadinessCheck[]): Response {
  const message = "not ready: something";
  return Response.json({ message, data: { ready: false, checks } }, {
    status: 503,
  });
}

function ready(): Response {
  return Response.json({ message: "success", data: { ready: true } });
}

async function run(
  args: string[],
  ...answers: (() => Response)[]
): Promise<{ code: number; errors: string; asked: string[] }> {
  const asked: string[] = [];
  const fetch: Terminal["fetch"] = (url) => {
    asked.push(url);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return answer === undefined
      ? Promise.reject(new TypeError("Connection refused (os error 111)"))
      : Promise.resolve(answer());
  };
  const terminal = memoryTerminal({ fetch });
  const code = await runCli(["ready", ...args], [readyCommand], terminal);
  return { code, errors: terminal.errors(), asked };
}

Deno.test("kingbus ready ends with 0 when the node is ready, and says nothing", async () => {
  const { code, errors, asked } = await run([], ready);
  assertEquals([code, errors], [0, ""]);
  assertEquals(asked, ["http://127.0.0.1:9595/readyz"]);
});

Deno.test("kingbus ready ends with 3 and says why when something does not run", async () => {
  const { code, errors } = await run([], () => unready(RUNNING, SOURCE_AWAY));
  assertEquals([code, errors], [3, "kingbus: not ready: something\n"]);
});

Deno.test("kingbus ready --serving does not ask for the source, but for the rest", async () => {
  const away = await run(["--serving"], () => unready(RUNNING, SOURCE_AWAY));
  assertEquals([away.code, away.errors], [0, ""]);
  const deaf = await run(["--serving"], () => unready(NOT_LISTENING));
  assertEquals(deaf.code, 3);
});

Deno.test("kingbus ready --serving takes a node that gives no details for unready", async () => {
  const hidden = () => Response.json({ message: "not ready" }, { status: 503 });
  const { code, errors } = await run(["--serving"], hidden);
  assertEquals([code, errors], [3, "kingbus: not ready\n"]);
});

Deno.test("kingbus ready ends with 1 when nobody answers", async () => {
  const { code, errors } = await run([]);
  assertEquals(code, 1);
  assertStringIncludes(errors, "no node answers at http://127.0.0.1:9595");
  assertStringIncludes(errors, "connection refused");
});

Deno.test("kingbus ready --wait asks again until it is ready, or time is up", async () => {
  const later = await run(
    ["--wait", "1m"],
    () => unready(SOURCE_AWAY),
    () => unready(SOURCE_AWAY),
    ready,
  );
  assertEquals([later.code, later.asked.length], [0, 3]);
  const never = await run(["--wait", "300ms"], () => unready(SOURCE_AWAY));
  assertEquals(never.code, 3);
  const typo = await run(["--wait", "soon"], ready);
  assertEquals(typo.code, 2);
  assertStringIncludes(typo.errors, "--wait takes a duration");
});
