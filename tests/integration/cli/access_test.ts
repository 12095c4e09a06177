import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { freePort } from "../../../scripts/test_servers/free_port.ts";
import {
  KingbusProcess,
  type ProcessEnd,
  runKingbus,
} from "../../support/kingbus_process.ts";
import { TestAuthority } from "../../support/test_authority.ts";

const READ = "read-0123456789abcdef";
const ADMIN = "admin-0123456789abcdef";

/** Runs a command that must not print a token, whatever comes of it. */
async function run(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<ProcessEnd> {
  const end = await runKingbus(args, env);
  for (const token of [READ, ADMIN]) {
    assert(!(end.stdout + end.stderr).includes(token), end.stderr);
  }
  return end;
}

Deno.test("kingbus finds the token it needs, and says which one it lacks", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kingbus-access-" });
  try {
    const port = freePort();
    await Deno.writeTextFile(`${folder}/read`, `${READ}\n`);
    await Deno.writeTextFile(`${folder}/admin`, `${ADMIN}\n`);
    const config = `${folder}/kingbus.yaml`;
    await Deno.writeTextFile(
      config,
      `data-dir: ${folder}/data
admin:
  listen: 127.0.0.1:${port}
  read-token-file: ${folder}/read
  admin-token-file: ${folder}/admin
`,
    );
    const url = `127.0.0.1:${port}`;
    await using _kingbus = await KingbusProcess.start([
      `--config=${config}`,
      `--admin-listen=${url}`,
    ]);
    const cases: [string[], Record<string, string>, number, string][] = [
      [["status", `--admin=${url}`], {}, 4, "it wants a token"],
      [
        ["status", `--admin=${url}`],
        { KINGBUS_ADMIN_TOKEN: "wrong-0123456789abcdef" },
        4,
        "it does not know the token given",
      ],
      [["status", `--admin=${url}`, `--token-file=${folder}/read`], {}, 0, ""],
      [["files", `--admin=${url}`], { KINGBUS_ADMIN_TOKEN: ADMIN }, 0, ""],
      [
        ["server", "stop", `--admin=${url}`, `--token-file=${folder}/read`],
        {},
        4,
        "give the admin token",
      ],
      // by the configuration: each command takes the one it needs
      [["status", `--config=${config}`], {}, 0, ""],
      [["server", "stop", `--config=${config}`], {}, 0, ""],
      // what the configuration names is not for another address
      [
        ["status", `--config=${config}`, `--admin=localhost:${port}`],
        {},
        4,
        "it wants a token",
      ],
      [["ready", `--config=${config}`], {}, 0, ""],
    ];
    for (const [args, env, code, text] of cases) {
      const end = await run(args, env);
      assertEquals(end.code, code, `${args.join(" ")}: ${end.stderr}`);
      assertStringIncludes(end.stderr, text);
      assert(!end.stderr.includes("Bearer"), end.stderr);
    }
    await Deno.remove(`${folder}/read`);
    await Deno.remove(`${folder}/admin`);
    const gone = await run(["status", `--config=${config}`]);
    assertEquals(gone.code, 4);
    assertStringIncludes(gone.stderr, `${folder}/admin does not exist`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("kingbus asks an admin API over TLS, and trusts who is to be trusted", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kingbus-access-" });
  try {
    const authority = await TestAuthority.make("tests");
    const { certificatePem, keyPem } = await authority.issue({
      hosts: ["localhost"],
    });
    await Deno.writeTextFile(`${folder}/cert.pem`, certificatePem);
    await Deno.writeTextFile(`${folder}/key.pem`, keyPem);
    await Deno.writeTextFile(`${folder}/ca.pem`, authority.pem);
    const port = freePort();
    await using _kingbus = await KingbusProcess.start([
      `--data-dir=${folder}/data`,
      `--admin-listen=127.0.0.1:${port}`,
      `--admin-tls-certificate=${folder}/cert.pem`,
      `--admin-tls-key=${folder}/key.pem`,
    ]);
    const https = `--admin=https://localhost:${port}`;
    const trusted = await run(["status", https, `--admin-ca=${folder}/ca.pem`]);
    assertEquals(trusted.code, 0, trusted.stderr);
    for (
      const args of [
        [https],
        [`--admin=https://127.0.0.1:${port}`, `--admin-ca=${folder}/ca.pem`],
      ]
    ) {
      const { code, stdout, stderr } = await run(["status", ...args]);
      assertEquals([code, stdout], [1, ""]);
      assertStringIncludes(stderr, "--admin-ca");
      assertStringIncludes(stderr, "--admin https://NAME:PORT");
    }
    const plain = await run(["status", `--admin=localhost:${port}`]);
    assertEquals([plain.code, plain.stdout], [1, ""], plain.stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
