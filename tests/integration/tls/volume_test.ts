import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { acceptTls } from "../../../lib/connection/tls_server.ts";
import { connectTls } from "../../../lib/connection/tls_client.ts";
import { tcpTransport } from "../../../lib/connection/transport.ts";
import { readCredentials } from "../../../lib/tls/credentials.ts";
import { DumpFlag, encodeBinlogDump } from "../../../lib/protocol/command.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { logEndOf } from "../../support/sql_server.ts";
import {
  TestAuthority,
  TestCertificateFolder,
} from "../../support/test_authority.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";

const sources = new SharedMysql97(9777, ["--max-allowed-packet=64M"]);
const authority = await TestAuthority.make("test authority");

/** Reads a whole dump; answers its length and its hash. */
async function readDump(
  kingbus: TestKingbus,
  secure: boolean,
): Promise<{ bytes: number; hash: string }> {
  const credentials = await readCredentials({});
  const tls = { mode: "required", hostname: "127.0.0.1", credentials } as const;
  await using client = await kingbus.connect(secure ? { tls } : {});
  assertEquals(client.tls !== undefined, secure);
  await client.query("SET @master_binlog_checksum = 'CRC32'");
  await client.sendCommand(encodeBinlogDump({
    fileName: "binlog.000001",
    position: 4,
    serverId: 0,
    flags: DumpFlag.NON_BLOCK,
  }));
  const hash = createHash("sha256");
  let bytes = 0;
  for (;;) {
    const chunk = await client.reader.readChunk();
    if (chunk === null) break;
    bytes += chunk.length;
    hash.update(chunk);
  }
  return { bytes, hash: hash.digest("hex") };
}

await rigTest(
  "a dump of 100 MB over TLS is to the byte what it is without",
  ["mysql97"],
  async () => {
    const source = await sources.asSource();
    await using folder = await TestCertificateFolder.make();
    const tls = await folder.serverTls(authority);
    await using kingbus = await TestKingbus.following(source, {
      server: { tls },
    });
    await source.run("CREATE TABLE test.t (data LONGBLOB)");
    for (let row = 0; row < 20; row++) {
      await source.query(
        `INSERT INTO test.t VALUES (REPEAT(SHA2(${row}, 256), 80000))`,
      );
    }
    const { fileName, position } = await logEndOf(source);
    await kingbus.waitUntilAt(fileName, position);
    const plain = await readDump(kingbus, false);
    assert(plain.bytes > 100_000_000);
    // Several times: an end must never be cut short.
    for (let time = 0; time < 3; time++) {
      assertEquals(await readDump(kingbus, true), plain);
    }
  },
);

Deno.test("a reader over TLS that stops reading holds its writer up, and gets all in the end", async () => {
  await using folder = await TestCertificateFolder.make();
  const { credentials } = await folder.serverTls(authority);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const chunk = crypto.getRandomValues(new Uint8Array(65536));
  const total = 64 * 1024 * 1024;
  let written = 0;

  const serving = (async () => {
    const conn = await listener.accept();
    const below = {
      ...tcpTransport(conn),
      closeWrite: () => conn.closeWrite(),
    };
    const { transport } = await acceptTls(below, {
      credentials: credentials(),
      clientCertificate: "ignored",
    });
    const writer = transport.writable.getWriter();
    while (written < total) {
      await writer.write(chunk);
      written += chunk.length;
    }
    await transport.closeWrite();
    await transport.readable.getReader().read();
    transport.close();
  })();

  const { port } = listener.addr;
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const transport = await connectTls(tcpTransport(conn), {
    mode: "required",
    hostname: "127.0.0.1",
    credentials: await readCredentials({}),
  });
  const reader = transport.readable.getReader();
  // What lies in sockets and buffers of both ends, until nothing moves.
  let before = -1;
  while (before !== written || written === 0) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  assert(written < 24 * 1024 * 1024, `${written} bytes were taken unread`);
  let received = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    assertEquals(value[0], chunk[received % chunk.length]);
    // no Buffer, which others would copy with `slice` in vain
    assertEquals(value?.constructor, Uint8Array);
    received += value.length;
  }
  assertEquals(received, total);
  transport.close();
  await serving;
});

Deno.test("a TLS connection that is cut fails the reads and writes under way, and all later ones", async () => {
  await using folder = await TestCertificateFolder.make();
  const { credentials } = await folder.serverTls(authority);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const dialled = Deno.connect({ hostname: "127.0.0.1", port });
  const accepted = await listener.accept();
  const conn = await dialled;
  const [client, { transport: server }] = await Promise.all([
    connectTls(tcpTransport(conn), {
      mode: "required",
      hostname: "127.0.0.1",
      credentials: await readCredentials({}),
    }),
    acceptTls(tcpTransport(accepted), {
      credentials: credentials(),
      clientCertificate: "ignored",
    }),
  ]);
  const reader = server.readable.getReader();
  const reading = reader.read().then(() => "read", () => "failed");
  const writer = server.writable.getWriter();
  writer.closed.catch(() => {});
  const writing = (async () => {
    for (;;) await writer.write(new Uint8Array(262144));
  })().catch(() => "failed");
  await new Promise((resolve) => setTimeout(resolve, 200));
  server.close();
  server.close();
  assertEquals(await writing, "failed");
  assertEquals(await reading, "failed");
  assertEquals(await reader.read().catch(() => "failed"), "failed");
  client.close();
});
