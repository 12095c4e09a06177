import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openLog } from "../../../lib/log/log.ts";
import { readCredentials } from "../../../lib/tls/credentials.ts";
import { CredentialsKeeper } from "../../../lib/tls/credentials_keeper.ts";
import { ensureOwnCertificate } from "../../../lib/tls/own_certificate.ts";
import { verifyChain } from "../../../lib/tls/verify_chain.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import {
  TestAuthority,
  TestCertificateFolder,
} from "../../support/test_authority.ts";

const authority = await TestAuthority.make("test authority");

Deno.test("CredentialsKeeper reads changed files again, and keeps what was good", async () => {
  await using folder = await TestCertificateFolder.make();
  const files = await folder.writePair(
    "server",
    await authority.issue({ name: "first" }),
  );
  const lines: string[] = [];
  const log = openLog({
    level: "info",
    format: "text",
    write: (line) => lines.push(line),
  });
  using keeper = await CredentialsKeeper.open({ files, log, pollMs: 20 });
  const name = () => keeper.current.certificate?.subject;
  assertEquals(name(), "CN=first");

  await folder.writePair("server", await authority.issue({ name: "second" }));
  await waitUntil("the second was read", () => name() === "CN=second");
  assert(lines.some((line) => line.includes("certificate read again")));
  // a poll may have come between the two files
  lines.length = 0;

  await folder.write("server-key.pem", "no key");
  await waitUntil(
    "the fault was logged",
    () => lines.some((line) => line.includes("can't be used")),
  );
  assertEquals(name(), "CN=second");
  const faults = lines.filter((line) => line.includes("can't be used"));
  assertStringIncludes(faults[0]!, "server-key.pem");
  assertStringIncludes(faults[0]!, "is no PEM file of a private key");

  // The same fault is not said at each poll; asked to read, it says it again.
  await new Promise((resolve) => setTimeout(resolve, 100));
  assertEquals(
    lines.filter((line) => line.includes("can't be used")).length,
    1,
  );
  await keeper.reload();
  assertEquals(
    lines.filter((line) => line.includes("can't be used")).length,
    2,
  );

  await folder.writePair("server", await authority.issue({ name: "third" }));
  await waitUntil("the third was read", () => name() === "CN=third");
});

Deno.test("CredentialsKeeper says when a certificate is about to expire", async () => {
  await using folder = await TestCertificateFolder.make();
  const files = await folder.writePair(
    "server",
    await authority.issue({ toDays: 5 }),
  );
  const lines: string[] = [];
  const log = openLog({
    level: "info",
    format: "text",
    write: (line) => lines.push(line),
  });
  using _keeper = await CredentialsKeeper.open({ files, log });
  assertStringIncludes(lines.join("\n"), "expires soon");
});

Deno.test("ensureOwnCertificate() makes one that its authority verifies, once", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "kingbus-tls-" });
  try {
    const options = { dataDir, name: "node-1", hosts: ["localhost", "::1"] };
    const { files, made } = await ensureOwnCertificate(options);
    assert(made);
    const { certificate, authorities } = await readCredentials(files);
    verifyChain([certificate!.raw], authorities, "server", Date.now());
    assertEquals(certificate!.checkHost("localhost"), "localhost");
    assertEquals(certificate!.checkIP("::1"), "::1");
    assertEquals((await Deno.stat(files.key)).mode! & 0o777, 0o600);
    const years = (Date.parse(certificate!.validTo) - Date.now()) /
      (365 * 24 * 3_600_000);
    assert(years > 9.9);

    const key = await Deno.readTextFile(files.key);
    assertEquals(await ensureOwnCertificate(options), { files, made: false });
    assertEquals(await Deno.readTextFile(files.key), key);

    await Deno.remove(files.key);
    const error = await ensureOwnCertificate(options).catch((error) => error);
    assertStringIncludes(String(error), "server-key.pem is missing");
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
