import { assert, assertEquals, assertRejects } from "@std/assert";
import { AdminListenError } from "../../../lib/admin/admin_listen_error.ts";
import { AdminApi } from "../../../lib/admin/admin_api.ts";
import { silentLog } from "../../../lib/log/log.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { KingbusProcess, runKingbus } from "../../support/kingbus_process.ts";
import {
  TestAuthority,
  TestCertificateFolder,
} from "../../support/test_authority.ts";

const READ = "read-token-0123456789";
const ADMIN = "admin-token-0123456789";
const NEXT = "next-token-0123456789";

async function withFolder(
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kingbus-test-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function statusOf(
  kingbus: KingbusProcess,
  method: string,
  path: string,
  token?: string,
): Promise<number> {
  const headers: Record<string, string> = token === undefined
    ? {}
    : { authorization: `Bearer ${token}` };
  const response = await fetch(`${kingbus.adminUrl}${path}`, {
    method,
    headers,
  });
  await response.body?.cancel();
  return response.status;
}

Deno.test("kingbus serve refuses to let others reach the admin API without a token", () =>
  withFolder(async (folder) => {
    for (const listen of ["0.0.0.0:0", "[::]:0", "10.1.2.3:0"]) {
      const { code, stderr } = await runKingbus([
        "serve",
        `--data-dir=${folder}`,
        `--admin-listen=${listen}`,
      ]);
      assertEquals(code, 2, stderr);
      assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
      assert(stderr.includes("--admin-listen: is "), stderr);
      assert(stderr.includes("admin.admin-token-file"), stderr);
    }
    await Deno.writeTextFile(`${folder}/token`, "sesame");
    const { code, stderr } = await runKingbus([
      "serve",
      `--data-dir=${folder}`,
      `--admin-admin-token-file=${folder}/token`,
    ]);
    assertEquals(code, 2);
    assert(stderr.includes("holds a token of 6 characters"), stderr);
    assert(!stderr.includes("sesame"));
  }));

Deno.test("an address that turns out to be reached by others needs a token", async () => {
  await using api = new AdminApi({ routes: [], log: silentLog() });
  const anywhere = { hostname: "0.0.0.0", port: 0 };
  const error = await assertRejects(
    () => api.listen(anywhere),
    AdminListenError,
  );
  assert(error.message.includes("there is no token"), error.message);
  const { port } = await api.listen(anywhere, { isGuarded: true });
  assert(port > 0);
});

Deno.test("tokens from files let in, are read again on SIGHUP, and stay secret", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/read`, `${READ}\n`);
    await Deno.writeTextFile(`${folder}/admin`, `${ADMIN}\n`);
    await using kingbus = await KingbusProcess.start([
      `--data-dir=${folder}/data`,
      "--log-level=debug",
      "--admin-listen=0.0.0.0:0",
      `--admin-read-token-file=${folder}/read`,
      `--admin-admin-token-file=${folder}/admin`,
    ]);
    const stop = ["PUT", "/binlog/syncer/stop"] as const;
    assertEquals(await statusOf(kingbus, "GET", "/healthz"), 200);
    assertEquals(await statusOf(kingbus, "GET", "/status"), 401);
    assertEquals(await statusOf(kingbus, "GET", "/metrics"), 401);
    assertEquals(await statusOf(kingbus, "GET", "/status", READ), 200);
    assertEquals(await statusOf(kingbus, "GET", "/status", ADMIN), 200);
    assertEquals(await statusOf(kingbus, "GET", "/status", "wrong"), 401);
    assertEquals(await statusOf(kingbus, ...stop), 401);
    assertEquals(await statusOf(kingbus, ...stop, READ), 403);
    assertEquals(await statusOf(kingbus, ...stop, ADMIN), 200);

    const ready = await fetch(`${kingbus.adminUrl}/readyz`);
    assertEquals(await ready.json(), {
      message: "success",
      data: { ready: true },
    });
    const told = await fetch(`${kingbus.adminUrl}/readyz`, {
      headers: { authorization: `Bearer ${READ}` },
    });
    assertEquals((await told.json()).data.checks.length, 3);

    await Deno.writeTextFile(`${folder}/admin`, "sesame");
    kingbus.signal("SIGHUP");
    const { right, reason } = await kingbus.logged(
      "the token of the admin API can't",
    );
    assertEquals(right, "admin");
    assert(String(reason).includes("of 6 characters"), String(reason));
    assertEquals(await statusOf(kingbus, ...stop, "sesame"), 401);
    assertEquals(await statusOf(kingbus, ...stop, ADMIN), 200);

    await Deno.writeTextFile(`${folder}/admin`, `${NEXT}\n`);
    kingbus.signal("SIGHUP");
    await waitUntil("the next token to be taken", async () => {
      const status = await statusOf(kingbus, ...stop, NEXT);
      return status === 200 ? true : undefined;
    }, { deadlineMs: 30_000, intervalMs: 100 });
    assertEquals(await statusOf(kingbus, ...stop, ADMIN), 401);
    const said = JSON.stringify(kingbus.lines);
    assert(said.includes("wrong token at the admin API"), said);
    for (const token of [READ, ADMIN, NEXT]) assert(!said.includes(token));
  }));

Deno.test("a page of another port of this machine changes nothing, token or not", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/admin`, ADMIN);
    await using kingbus = await KingbusProcess.start([
      `--data-dir=${folder}/data`,
      "--admin-listen=127.0.0.1:0",
      `--admin-admin-token-file=${folder}/admin`,
    ]);
    const { port } = new URL(kingbus.adminUrl);
    const cases: [string, number][] = [
      [`http://127.0.0.1:${port}`, 200],
      [`http://127.0.0.1:${Number(port) - 1}`, 403],
      ["http://127.0.0.1", 403],
      [`http://${Deno.hostname()}:${port}`, 403],
    ];
    for (const [origin, status] of cases) {
      const answer = await fetch(`${kingbus.adminUrl}/binlog/syncer/stop`, {
        method: "PUT",
        headers: { origin, authorization: `Bearer ${ADMIN}` },
      });
      await answer.body?.cancel();
      assertEquals(answer.status, status, origin);
    }
  }));

Deno.test("admin.tls answers over HTTPS, and a new certificate is taken", () =>
  withFolder(async (folder) => {
    const [first, second] = await Promise.all([
      TestAuthority.make("first"),
      TestAuthority.make("second"),
    ]);
    await using files = await TestCertificateFolder.make();
    const issue = (authority: TestAuthority) =>
      authority.issue({ hosts: ["127.0.0.1"], use: "server" });
    const pair = await files.writePair("admin", await issue(first));
    await using kingbus = await KingbusProcess.start([
      `--data-dir=${folder}`,
      `--admin-tls-certificate=${pair.certificate}`,
      `--admin-tls-key=${pair.key}`,
    ]);
    assert(kingbus.adminUrl.startsWith("https://"), kingbus.adminUrl);
    const ask = async (authority: TestAuthority): Promise<number> => {
      using client = Deno.createHttpClient({
        caCerts: [authority.pem],
        poolMaxIdlePerHost: 0,
      });
      const response = await fetch(`${kingbus.adminUrl}/status`, { client });
      await response.body?.cancel();
      return response.status;
    };
    assertEquals(await ask(first), 200);
    await assertRejects(() => ask(second), TypeError);
    const plain = kingbus.adminUrl.replace("https:", "http:");
    await assertRejects(() => fetch(plain), TypeError);

    await files.writePair("admin", await issue(second));
    kingbus.signal("SIGHUP");
    await waitUntil("the new certificate", async () => {
      try {
        return await ask(second) === 200 ? true : undefined;
      } catch {
        return undefined;
      }
    }, { deadlineMs: 30_000, intervalMs: 200 });
    await assertRejects(() => ask(first), TypeError);
  }));
