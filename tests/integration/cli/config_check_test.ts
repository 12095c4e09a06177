import { assertEquals, assertStringIncludes } from "@std/assert";
import type { CheckedSource } from "../../../lib/cli/check_source.ts";
import { freePort } from "../../../scripts/test_servers/free_port.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { runKingbus } from "../../support/kingbus_process.ts";
import { startMariadb } from "../../support/mariadb.ts";
import { startMysql97 } from "../../support/mysql97.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";

const source = new SharedSource56();

/** What `kingbus config check --connect --json` finds of a source. */
async function checked(
  keys: string,
  account = "user: repl, password: replpass",
): Promise<{ code: number; sources: CheckedSource[]; text: string }> {
  const folder = await Deno.makeTempDir({ prefix: "kingbus-check-" });
  try {
    const config = `${folder}/kingbus.yaml`;
    await Deno.writeTextFile(
      config,
      `data-dir: ${folder}/data
admin: { listen: "127.0.0.1:0" }
server: { listen: "127.0.0.1:0" }
source: { ${account}, ${keys} }
`,
    );
    const { code, stdout, stderr } = await runKingbus([
      "config",
      "check",
      "--connect",
      "--json",
      `--config=${config}`,
    ]);
    assertEquals(stderr, "");
    return { code, sources: JSON.parse(stdout).sources, text: stdout };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Level by what was looked at. */
function levels({ findings }: CheckedSource): Record<string, string> {
  return Object.fromEntries(findings.map(({ what, level }) => [what, level]));
}

function textOf({ findings }: CheckedSource, what: string): string {
  return findings.find((finding) => finding.what === what)?.text ?? "";
}

Deno.test("kingbus config check --connect finds a MySQL 5.6 source fit, with what to look at", async () => {
  const { code, sources } = await checked(
    `address: "127.0.0.1:${source.port}"`,
  );
  assertEquals(code, 0, JSON.stringify(sources));
  assertEquals(sources.length, 1);
  const found = levels(sources[0]!);
  for (
    const what of [
      "login",
      "server",
      "rights",
      "log_bin",
      "binlog_format",
      "binlog_checksum",
      "gtid_mode",
      "server_id",
      "files",
    ]
  ) assertEquals(found[what], "ok", what);
  assertEquals(found["tls"], "warning");
  assertEquals(found["sync_binlog"], "warning");
  const { rows } = await source.server.query("SELECT @@server_id");
  const own = await checked(
    `address: "127.0.0.1:${source.port}", server-id: ${rows[0]![0]}`,
  );
  assertEquals(own.code, 1);
  assertEquals(levels(own.sources[0]!)["server_id"], "problem");
});

Deno.test("kingbus config check --connect says why a source can't be followed, and what to do", async () => {
  const nobody = await checked(`address: "127.0.0.1:${freePort()}"`);
  assertEquals(nobody.code, 1);
  assertEquals(levels(nobody.sources[0]!), { unreachable: "problem" });
  assertStringIncludes(
    textOf(nobody.sources[0]!, "unreachable"),
    "correct source.address",
  );
  const address = `address: "127.0.0.1:${source.port}"`;
  const wrong = await checked(address, "user: repl, password: hunter2");
  assertEquals(wrong.code, 1);
  assertEquals(levels(wrong.sources[0]!), { refused: "problem" });
  assertEquals(wrong.text.includes("hunter2"), false);
  await source.run(
    "GRANT REPLICATION SLAVE ON *.* TO weak@'%' IDENTIFIED BY 'weakpass'",
  );
  try {
    const weak = await checked(address, "user: weak, password: weakpass");
    assertEquals(weak.code, 1);
    const found = levels(weak.sources[0]!);
    assertEquals([found["rights"], found["files"]], ["problem", "problem"]);
    assertStringIncludes(
      textOf(weak.sources[0]!, "rights"),
      "lacks REPLICATION CLIENT",
    );
  } finally {
    await source.run("DROP USER weak@'%'");
  }
  const tls = await checked(`${address}, tls: { mode: required }`);
  assertEquals(levels(tls.sources[0]!), { tls: "problem" });
});

await rigTest(
  "kingbus config check --connect looks at MySQL 9.7, MariaDB and at candidates",
  ["mysql97", "mariadb"],
  async () => {
    await using mysql = await startMysql97(8071, [
      "--binlog-checksum=NONE",
      "--binlog-expire-logs-seconds=3600",
    ]);
    await using mariadb = await startMariadb(8072);
    const { code, sources } = await checked(
      `address: "127.0.0.1:${mysql.port}", candidates: ["127.0.0.1:${mariadb.port}"]`,
    );
    assertEquals(code, 1);
    assertEquals(sources.map(({ address }) => address), [
      `127.0.0.1:${mysql.port}`,
      `127.0.0.1:${mariadb.port}`,
    ]);
    const [first, second] = sources.map(levels);
    assertEquals(first!["rights"], "ok");
    assertEquals(first!["tls"], "ok");
    assertEquals(first!["binlog_checksum"], "warning");
    assertEquals(first!["binlog_expire_logs_seconds"], "warning");
    assertEquals(second!["rights"], "ok");
    assertEquals(second!["other-flavour"], "problem");
    // a source that writes no log
    await mysql.restart(["--skip-log-bin"]);
    const dumb = await checked(`address: "127.0.0.1:${mysql.port}"`);
    assertEquals(dumb.code, 1);
    assertEquals(levels(dumb.sources[0]!)["log_bin"], "problem");
  },
);
