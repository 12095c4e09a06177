import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { configCheckCommand } from "../../../lib/cli/config_check_command.ts";
import { runCli } from "../../../lib/cli/run_cli.ts";
import { memoryTerminal, type Surroundings } from "./memory_terminal.ts";

async function check(
  text: string,
  args: string[] = [],
  { files, ...surroundings }: Surroundings = {},
): Promise<{ code: number; output: string; errors: string }> {
  const terminal = memoryTerminal({
    files: { "k.yaml": text, ...files },
    ...surroundings,
  });
  // ports of its own, so that nothing else on this machine matters
  const ports = ["--admin-listen=127.0.0.1:0", "--server-listen=127.0.0.1:0"];
  const code = await runCli(
    ["config", "check", "--config=k.yaml", ...ports, ...args],
    [configCheckCommand],
    terminal,
  );
  return { code, output: terminal.output(), errors: terminal.errors() };
}

Deno.test("kingbus config check says all that is wrong at once, with its lines", async () => {
  const { code, output } = await check(`name: n1
serer: {}
server:
  identity: mine
  users:
    - { name: repl, passwrd: x }
log:
  level: loud
`);
  assertEquals(code, 2);
  assertEquals(
    output.trimEnd().split("\n").toSorted(),
    [
      'k.yaml:2: serer: is no key here; did you mean "server"?',
      'k.yaml:4: server.identity: must be own or source, not "mine"',
      'k.yaml:6: server.users[0].passwrd: is no key here; did you mean "password"?',
      'k.yaml:8: log.level: must be debug, info, warn or error, not "loud"',
      "k.yaml: can't be used, 4 problems, 0 warnings",
    ].toSorted(),
  );
});

Deno.test("kingbus config check looks for secrets and certificates, and at what goes together", async () => {
  const { code, output } = await check(`server:
  wait-for-replicas: 1
  users:
    - { name: a, password-file: gone }
    - { name: a, password: "" }
    - { name: b }
    - { name: c, password-env: GONE }
  tls: { certificate: gone.pem, key: gone.pem }
source:
  address: db1:3306
  user: kb
  password: x
  password-env: X
  heartbeat: 30s
`);
  assertEquals(code, 2);
  for (
    const problem of [
      "k.yaml:2: server.wait-for-replicas: is 1, but without server.semi-sync",
      'k.yaml:5: server.users[1].name: there are two users named "a"',
      "k.yaml:4: server.users[0].password-file: gone does not exist",
      "k.yaml:5: server.users[1]: has an empty password",
      "k.yaml:6: server.users[2]: has no password",
      "k.yaml:7: server.users[3].password-env: the environment variable GONE is not set",
      "server.tls.certificate: gone.pem does not exist",
      "k.yaml:13: source.password-env: is given besides password",
      "k.yaml:2: server.wait-for-replicas: is 1, but without source.semi-sync",
      "source.read-timeout: must be above source.heartbeat",
    ]
  ) assertStringIncludes(output, problem);
  assertStringIncludes(output, "can't be used, 10 problems");
});

Deno.test("kingbus config check shows every value, where it is from, and no secret", async () => {
  const config = `name: n1
server:
  users:
    - { name: repl, password: hunter2, rights: [admin] }
    - { name: other, password-file: p }
retention: { age: 7d, size: 20GiB }
`;
  const { code, output } = await check(config, ["--log-level=warn"], {
    files: { p: "hunter3" },
  });
  assertEquals(code, 0, output);
  const rows = output.split("\n").map((line) => line.split(/ {2,}/));
  for (
    const row of [
      ["name", "n1", "k.yaml:1"],
      ["server.users[0].name", "repl", "k.yaml:4"],
      ["server.users[0].password", "(hidden)", "k.yaml:4"],
      ["server.users[0].rights", "[admin]", "k.yaml:4"],
      ["server.users[1].password-file", "p", "k.yaml:5"],
      ["server.users[1].password", "-", "default"],
      ["server.listen", "127.0.0.1:0", "--server-listen"],
      ["log.level", "warn", "--log-level"],
      ["log.file-size", "64MiB", "default"],
      ["retention.age", "7d", "k.yaml:6"],
      ["retention.size", "20GiB", "k.yaml:6"],
    ]
  ) {
    assert(
      rows.some((one) => one.join() === row.join()),
      `${row.join()} in ${output}`,
    );
  }
  assert(!output.includes("hunter"), output);
  const json = await check(config, ["--json"], { files: { p: "hunter3" } });
  const document = JSON.parse(json.output);
  assertEquals([json.code, document.ok, document.file], [0, true, "k.yaml"]);
  assert(!json.output.includes("hunter"), json.output);
  const value = (key: string) =>
    document.values.find((one: { key: string }) => one.key === key);
  assertEquals(value("retention.age"), {
    key: "retention.age",
    value: "7d",
    from: "file",
    file: "k.yaml",
    line: 6,
  });
  assertEquals(value("server.listen"), {
    key: "server.listen",
    value: "127.0.0.1:0",
    from: "flag",
    flag: "--server-listen",
  });
  assertEquals(value("source.address"), undefined);
});

Deno.test("kingbus config check looks at the tokens of the admin API", async () => {
  const files = { long: "0123456789abcdef\n", short: "hunter2" };
  const cases: [string, string][] = [
    ["{ read-token-file: short }", "short holds a token of 7 characters"],
    ["{ admin-token-file: gone }", "gone does not exist"],
    ["{ admin-token-env: GONE }", "the environment variable GONE is not set"],
    [
      "{ admin-token-file: long, read-token-file: long }",
      "has the same token twice",
    ],
    [
      "{ admin-token-file: long, admin-token-env: X }",
      "is given besides admin-token-file",
    ],
    ["{ tls: { certificate: c } }", "is given without admin.tls.key"],
  ];
  for (const [admin, problem] of cases) {
    const { code, output } = await check(`admin: ${admin}\n`, [], { files });
    assertEquals(code, 2, output);
    assertStringIncludes(output, problem);
    assert(!output.includes("hunter2"), output);
  }
});

Deno.test("kingbus config check gives problems to programs", async () => {
  const { code, output, errors } = await check("a: [", ["--json"]);
  const { ok, problems, values } = JSON.parse(output);
  assertEquals([code, ok, values, errors], [2, false, [], ""]);
  assertEquals([problems.length, problems[0].file], [1, "k.yaml"]);
  assertStringIncludes(problems[0].reason, "is no valid YAML");
});

Deno.test("kingbus config check looks whether folders and ports can be used, and who may read secrets", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kingbus-check-" });
  try {
    await Deno.writeTextFile(`${folder}/file`, "secret", { mode: 0o644 });
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    const terminal = memoryTerminal({
      files: {
        "k.yaml": `data-dir: ${folder}/a/b
log: { directory: ${folder}/file/x }
admin: { listen: "192.0.2.1:1", read-token-file: ${folder}/file }
server:
  listen: 127.0.0.1:${port}
  users: [{ name: a, password-file: ${folder}/file }]
`,
        [`${folder}/file`]: "0123456789abcdef",
      },
    });
    const code = await runCli(
      ["config", "check", "--config=k.yaml", "--json"],
      [configCheckCommand],
      terminal,
    );
    const { surroundings } = JSON.parse(terminal.output());
    const levels = Object.fromEntries(
      surroundings.map((
        { what, level }: { what: string; level: string },
      ) => [what, level]),
    );
    assertEquals(levels, {
      "data-dir": "ok",
      "log.directory": "problem",
      "server.listen": "warning",
      "admin.listen": "problem",
      "server.users[0]": "warning",
      "admin.read-token-file": "warning",
    });
    assertEquals(code, 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
