import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { ClientConnection } from "../../../lib/connection/client_connection.ts";
import { ConnectionError } from "../../../lib/connection/connection_error.ts";
import type { TlsMode } from "../../../lib/connection/tls_client.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import {
  type CredentialFiles,
  readCredentials,
} from "../../../lib/tls/credentials.ts";
import { TlsError, type TlsErrorKind } from "../../../lib/tls/tls_error.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import {
  TestAuthority,
  TestCertificateFolder,
} from "../../support/test_authority.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";

const authority = await TestAuthority.make("test authority");
const stranger = await TestAuthority.make("another authority");

/** A client's wish for TLS, which it says before anything else. */
const TLS_REQUEST = Uint8Array.from([
  32,
  0,
  0,
  1,
  0x85,
  0xae,
  0x0f,
  0,
  0,
  0,
  0,
  1,
  45,
  ...new Uint8Array(23),
]);

/** Logs in over TLS. */
async function connect(
  kingbus: TestKingbus,
  mode: TlsMode,
  files: CredentialFiles = {},
  hostname = "127.0.0.1",
): Promise<ClientConnection> {
  const credentials = await readCredentials(files);
  return await kingbus.connect({ tls: { mode, hostname, credentials } });
}

Deno.test("a login over TLS of each mode is answered, and its status says so", async () => {
  await using folder = await TestCertificateFolder.make();
  const tls = await folder.serverTls(authority);
  await using kingbus = await TestKingbus.start({ server: { tls } });
  const ca = await folder.write("ca.pem", authority.pem);
  for (
    const mode of [
      "preferred",
      "required",
      "verify-ca",
      "verify-identity",
    ] as const
  ) {
    await using client = await connect(kingbus, mode, { ca });
    assertEquals(client.tls?.version, "TLSv1.3");
    assert(client.tls?.cipher.startsWith("TLS_"));
    const uuid = crypto.randomUUID();
    await client.query(`SET @slave_uuid = '${uuid}'`);
    const replica = kingbus.replicas.find((one) => one.uuid === uuid);
    assertEquals(replica?.tls, client.tls);
    const { rows } = await client.query(
      "SELECT @@ssl_cert, @@require_secure_transport, @@tls_version",
    );
    assertEquals(rows, [[
      tls.files.certificate!,
      "0",
      "TLSv1.2,TLSv1.3",
    ]]);
  }
});

Deno.test("a login without TLS is refused with 3159 where TLS is required", async () => {
  await using folder = await TestCertificateFolder.make();
  const tls = await folder.serverTls(authority, { required: true });
  await using kingbus = await TestKingbus.start({ server: { tls } });
  const error = await assertRejects(() => kingbus.connect(), ServerError);
  assertEquals(error.code, 3159);
  assertEquals(error.sqlState, "HY000");
  assertEquals(
    error.message,
    "Connections using insecure transport are prohibited while --require_secure_transport=ON.",
  );
  assertEquals(kingbus.server.status().refusals["tls-required"], 1);
  await using _client = await connect(kingbus, "required");
});

Deno.test("an account that requires TLS is refused with 1045 without it", async () => {
  await using folder = await TestCertificateFolder.make();
  const tls = await folder.serverTls(authority);
  const accounts = [
    { name: "repl", password: "replpass", requireTls: true },
    { name: "plain", password: "plainpass" },
  ];
  await using kingbus = await TestKingbus.start({ server: { tls, accounts } });
  const error = await assertRejects(() => kingbus.connect(), ServerError);
  assertEquals(error.code, 1045);
  await using _plain = await kingbus.connect({
    user: "plain",
    password: "plainpass",
  });
  await using _secure = await connect(kingbus, "required");
});

Deno.test("a password that only the full exchange can check goes over TLS", async () => {
  await using folder = await TestCertificateFolder.make();
  const tls = await folder.serverTls(authority);
  const { accountFromPassword } = await import(
    "../../../lib/protocol/server_auth.ts"
  );
  const { name, doubleSha1 } = accountFromPassword("repl", "replpass");
  const accounts = [{ name, doubleSha1 }];
  await using kingbus = await TestKingbus.start({ server: { tls, accounts } });
  await using _client = await connect(kingbus, "required");
  await assertRejects(
    () =>
      readCredentials({}).then((credentials) =>
        kingbus.connect({
          password: "wrong",
          tls: { mode: "required", hostname: "127.0.0.1", credentials },
        })
      ),
    ServerError,
    "Access denied",
  );
});

Deno.test("a client refuses a server whose certificate is not what its mode asks for", async () => {
  await using folder = await TestCertificateFolder.make();
  const tls = await folder.serverTls(authority, { hosts: ["db.example"] });
  await using kingbus = await TestKingbus.start({ server: { tls } });
  const ca = await folder.write("ca.pem", authority.pem);
  const other = await folder.write("other.pem", stranger.pem);
  const expect = async (
    mode: TlsMode,
    files: CredentialFiles,
    kind: TlsErrorKind,
  ) => {
    const error = await assertRejects(
      () => connect(kingbus, mode, files),
      TlsError,
    );
    assertEquals(error.kind, kind);
  };
  await expect("verify-ca", { ca: other }, "unknown-authority");
  await expect("verify-identity", { ca: other }, "unknown-authority");
  await expect("verify-identity", { ca }, "name-mismatch");
  await using _verified = await connect(kingbus, "verify-ca", { ca });
  await using _named = await connect(
    kingbus,
    "verify-identity",
    { ca },
    "db.example",
  );
});

Deno.test("a client's certificate counts as the server says", async () => {
  await using folder = await TestCertificateFolder.make();
  const good = await folder.writePair(
    "good",
    await authority.issue({ use: "client" }),
  );
  const foreign = await folder.writePair("foreign", await stranger.issue());
  const wrongUse = await folder.writePair(
    "wrong-use",
    await authority.issue({ use: "server" }),
  );
  const old = await folder.writePair(
    "old",
    await authority.issue({ fromDays: -9, toDays: -2 }),
  );
  for (const clientCertificate of ["optional", "required"] as const) {
    const tls = await folder.serverTls(authority, {
      clientCertificate,
      clients: authority,
    });
    await using kingbus = await TestKingbus.start({ server: { tls } });
    await using _good = await connect(kingbus, "required", good);
    for (
      const [files, reason] of [
        [foreign, "no trusted authority"],
        [wrongUse, "extendedKeyUsage"],
        [old, "expired"],
      ] as const
    ) {
      // Twice: what is kept of the first session must not let it in.
      for (let time = 0; time < 2; time++) {
        const error = await assertRejects(
          () => connect(kingbus, "required", files),
          ServerError,
        );
        assertEquals(error.code, 1045);
        assertStringIncludes(error.message, reason);
      }
    }
    if (clientCertificate === "optional") {
      await using _none = await connect(kingbus, "required");
      await using _plain = await kingbus.connect();
    } else {
      const error = await assertRejects(
        () => connect(kingbus, "required"),
        ServerError,
        "gave no certificate",
      );
      assertEquals(error.code, 1045);
      // Without TLS nobody can show one.
      await assertRejects(() => kingbus.connect(), ServerError);
    }
  }
});

Deno.test("a handshake that fails is counted, and hurts nobody else", async () => {
  await using folder = await TestCertificateFolder.make();
  const tls = await folder.serverTls(authority);
  await using kingbus = await TestKingbus.start({
    server: { tls, loginTimeoutMs: 1000 },
  });
  await using other = await connect(kingbus, "required");
  const garbage = new TextEncoder().encode("this is no TLS at all, not at all");
  // Garbage in one write with the request, garbage later, nothing, a cut.
  for (const way of ["together", "later", "nothing", "cut"]) {
    const conn = await Deno.connect({
      hostname: "127.0.0.1",
      port: kingbus.port,
    });
    const greeting = new Uint8Array(1024);
    await conn.read(greeting);
    if (way === "together") {
      await conn.write(Uint8Array.from([...TLS_REQUEST, ...garbage]));
    } else {
      await conn.write(TLS_REQUEST);
      if (way === "later") await conn.write(garbage);
    }
    if (way === "cut") {
      conn.close();
      continue;
    }
    try {
      while (await conn.read(greeting) !== null);
    } catch (error) {
      assert(error instanceof Deno.errors.ConnectionReset, String(error));
    }
    conn.close();
  }
  await waitUntil("both were counted", () => {
    const { refusals } = kingbus.server.status();
    return refusals["tls-failed"] === 2 && refusals["login-timeout"] === 1;
  });
  assertEquals((await other.query("SELECT 1")).rows, [["1"]]);
  await waitUntil(
    "only one was left",
    () => kingbus.server.status().connections === 1,
  );
});

Deno.test("a client that leaves where its handshake should begin is not waited for", async () => {
  await using folder = await TestCertificateFolder.make();
  const tls = await folder.serverTls(authority);
  await using kingbus = await TestKingbus.start({
    server: { tls, loginTimeoutMs: 3_600_000 },
  });
  for (const half of [false, true]) {
    const conn = await Deno.connect({
      hostname: "127.0.0.1",
      port: kingbus.port,
    });
    await conn.read(new Uint8Array(1024));
    await conn.write(TLS_REQUEST);
    // the end of what it sends, or of the whole connection
    if (half) await conn.closeWrite();
    else conn.close();
    await waitUntil(
      "it was gone",
      () => kingbus.server.status().connections === 0,
    );
    if (half) conn.close();
  }
});

Deno.test("a client that wants TLS is told when there is none", async () => {
  await using kingbus = await TestKingbus.start();
  await using plain = await connect(kingbus, "preferred");
  assertEquals(plain.tls, undefined);
  const error = await assertRejects(
    () => connect(kingbus, "required"),
    TlsError,
  );
  assertEquals(error.kind, "not-offered");
});

Deno.test("TLS connections end in order when the server stops, and break when it is cut", async () => {
  await using folder = await TestCertificateFolder.make();
  const tls = await folder.serverTls(authority);
  await using kingbus = await TestKingbus.start({ server: { tls } });
  await using client = await connect(kingbus, "required");
  assertEquals((await client.query("SELECT 1")).rows, [["1"]]);
  await kingbus.stop();
  // An end behind the last packet, no reset.
  assertEquals(await client.reader.readChunk(), null);
  await assertRejects(() => client.query("SELECT 1"), ConnectionError);
});
