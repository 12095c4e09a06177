import { assert, assertEquals } from "@std/assert";
import { purgeCommand } from "../../../lib/cli/purge_command.ts";
import { runCli } from "../../../lib/cli/run_cli.ts";
import type { Terminal } from "../../../lib/cli/terminal.ts";
import { RetentionError } from "../../../lib/retention/retention_error.ts";
import { BUSY_RETENTION } from "../admin/memory_controls.ts";
import { memoryTerminal } from "./memory_terminal.ts";
import { runningNode } from "./running_node.ts";

async function purge(
  args: string[],
  fetch?: Terminal["fetch"],
): Promise<{ code: number; output: string; errors: string }> {
  const terminal = memoryTerminal(fetch === undefined ? {} : { fetch });
  const code = await runCli(["purge", ...args], [purgeCommand], terminal);
  return { code, output: terminal.output(), errors: terminal.errors() };
}

Deno.test("kingbus purge lets the running node remove files, and says which", async () => {
  const { asked, fetch, retention } = runningNode();
  assertEquals(await purge(["--to", "binlog.000042"], fetch), {
    code: 0,
    output:
      "removed 2 files, 3 KiB: binlog.000040 to binlog.000041\nthe log begins with binlog.000042\n",
    errors: "",
  });
  assertEquals(asked, ["http://127.0.0.1:9595/binlog/purge"]);
  assertEquals(retention.asked, [
    [{ to: "binlog.000042" }, { force: false, dryRun: false }],
  ]);
});

Deno.test("kingbus purge takes times, dates and ages", async () => {
  const { fetch, retention } = runningNode();
  await purge(["--before=2026-11-23T11:00:00+01:00"], fetch);
  await purge(["--before", "2026-11-23", "--force", "--dry-run"], fetch);
  const from = Date.now() - 7 * 86_400_000;
  await purge(["--before", "7d"], fetch);
  const to = Date.now() - 7 * 86_400_000;
  const [time, date, age] = retention.asked;
  const plain = { force: false, dryRun: false };
  assertEquals(time, [{ beforeMs: Date.UTC(2026, 10, 23, 10) }, plain]);
  assertEquals(date, [
    { beforeMs: Date.UTC(2026, 10, 23) },
    { force: true, dryRun: true },
  ]);
  const [target] = age!;
  assert("beforeMs" in target);
  assert(target.beforeMs >= from && target.beforeMs <= to);
});

Deno.test("kingbus purge says who holds files back, with exit code 1", async () => {
  const { fetch, retention } = runningNode();
  const [declared, connected] = BUSY_RETENTION.heldBack!.by;
  const never = { ...declared!, fileName: "", position: 0 };
  retention.outcome = {
    ...retention.outcome,
    asked: 7,
    heldBy: [declared!, connected!, never],
  };
  const { code, output } = await purge(["--to", "binlog.000047"], fetch);
  assertEquals(code, 1);
  assertEquals(
    output,
    `removed 2 files, 3 KiB: binlog.000040 to binlog.000041
the log begins with binlog.000042
5 of 7 files stay, because a replica needs them (--force removes them all the same):
  replica reports (22222222-71ca-11e1-9e33-c80aa9429562) needs binlog.000042:120
  connection 7 from 10.0.0.2:51234 is at binlog.000042:157
  replica reports (22222222-71ca-11e1-9e33-c80aa9429562) has never connected and needs everything
`,
  );
});

Deno.test("kingbus purge says what it would do, and when there is nothing to do", async () => {
  const { fetch, retention } = runningNode();
  const dry = await purge(["--to", "binlog.000042", "--dry-run"], fetch);
  assertEquals(
    dry.output,
    "would remove 2 files, 3 KiB: binlog.000040 to binlog.000041\nthe log begins with binlog.000042 then\n",
  );
  retention.outcome = {
    ...retention.outcome,
    removed: [],
    bytes: 0,
    asked: 1,
    keptActive: true,
  };
  const nothing = await purge(["--before", "0ms"], fetch);
  assertEquals([nothing.code, nothing.output], [
    0,
    "removed nothing\nthe log begins with binlog.000042\nthe file being written always stays\n",
  ]);
});

Deno.test("kingbus purge passes on why the node refuses", async () => {
  const { fetch, retention } = runningNode();
  retention.failWith = new RetentionError("unknown-file", "no such file");
  assertEquals(await purge(["--to", "x"], fetch), {
    code: 1,
    output: "",
    errors: "kingbus: no such file\n",
  });
  const other = await purge(
    ["--to", "x"],
    () => Promise.resolve(new Response("{}")),
  );
  assertEquals([other.code, other.errors], [
    1,
    "kingbus: http://127.0.0.1:9595 can't be used: what answers there is no kingbus of this version; is the address right (--admin, --admin-listen)?\n",
  ]);
  const silent = await purge(
    ["--to", "x"],
    () => Promise.reject(new TypeError("timed out")),
  );
  assertEquals([silent.code, silent.errors], [
    1,
    "kingbus: no node can be asked at http://127.0.0.1:9595: timed out; is it running, and is its address right (--admin, --admin-listen)?\n",
  ]);
});

Deno.test("kingbus purge refuses what it can't understand with exit code 2", async () => {
  const cases: [string[], string][] = [
    [[], "purge needs one of --to FILE and --before TIME"],
    [
      ["--to", "a", "--before", "7d"],
      "purge needs one of --to FILE and --before TIME",
    ],
    [
      ["--before", "yesterday"],
      '--before takes a time such as 2026-11-23T10:00:00Z or an age such as 7d, not "yesterday"',
    ],
    [["--before", "2026-13-01"], "--before takes a time such as"],
  ];
  for (const [args, message] of cases) {
    const { code, errors } = await purge(args);
    assertEquals(code, 2);
    assert(errors.includes(message), errors);
  }
});

Deno.test("kingbus purge opens the store when nobody listens, but makes none", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kingbus-purge-" });
  const refused = () =>
    Promise.reject(new TypeError("tcp connect error: Connection refused"));
  const dataDir = `${folder}/none`;
  const { code, errors } = await purge(
    ["--to", "x", "--data-dir", dataDir],
    refused,
  );
  assertEquals([code, errors], [
    1,
    `kingbus: no node answers, and there is no store in ${dataDir}: is --data-dir right?\n`,
  ]);
  assertEquals([...Deno.readDirSync(folder)], []);
  await Deno.remove(folder);
});
