import { assert, assertEquals, assertMatch } from "@std/assert";
import { logPosAt } from "../../../lib/binlog/event_header.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { rawPacket } from "../../support/raw_socket.ts";
import { SemiSyncClient } from "../../support/semi_sync_client.ts";
import { SharedSource56 } from "../../support/shared_mysql56.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";

const source = new SharedSource56();
const FILE = "binlog.000001";
const INSERT = "INSERT INTO test.t (data) VALUES ('x')";

async function openKingbus(): Promise<TestKingbus> {
  await source.run(
    TEST_TABLE,
    INSERT,
  );
  const kingbus = await TestKingbus.following(source, {
    server: { semiSync: { replicas: 0, timeoutMs: 1000 } },
  });
  await kingbus.waitUntilHas(await source.executed());
  return kingbus;
}

/** A replica at the end of the log that has been asked for one transaction. */
async function askedClient(
  kingbus: TestKingbus,
  serverId: number,
): Promise<{ client: SemiSyncClient; position: number }> {
  const from = { fileName: FILE, position: kingbus.head.position, serverId };
  const client = await SemiSyncClient.open(kingbus, from);
  // Its dump runs, so that what comes now is new.
  await client.next();
  await source.run(INSERT);
  const { payload } = await client.nextAsked();
  return { client, position: logPosAt(payload, 3) };
}

/** What a client is told before its connection ends. */
async function lastWords(client: SemiSyncClient): Promise<string> {
  try {
    while (await client.next() !== null);
    return "closed";
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

/** An acknowledgement with any bytes for a name. */
function ackOf(position: bigint, name: Uint8Array): Uint8Array {
  const ack = new Uint8Array(9 + name.length);
  ack[0] = 0xef;
  new DataView(ack.buffer).setBigUint64(1, position, true);
  ack.set(name, 9);
  return ack;
}

const text = (name: string) => new TextEncoder().encode(name);

/** What a hostile replica sends, and the last word it gets. */
const HOSTILE: Record<
  string,
  { send: (position: number) => Uint8Array; told: RegExp }
> = {
  "a position that is cut short": {
    send: () => Uint8Array.of(0xef, 1, 2, 3),
    told: /^1835: /,
  },
  "a file name of 600 bytes": {
    send: (position) => ackOf(BigInt(position), new Uint8Array(600).fill(97)),
    told: /^1835: .*a file name of 600 bytes/,
  },
  "a file that does not exist": {
    send: (position) => ackOf(BigInt(position), text("binlog.000002")),
    told: /^1835: .*the file was not sent/,
  },
  "no file": {
    send: (position) => ackOf(BigInt(position), new Uint8Array(0)),
    told: /^1835: .*the file was not sent/,
  },
  "a position ahead of what was sent": {
    send: (position) => ackOf(BigInt(position + 1), text(FILE)),
    told: /^1835: .*only what is before position \d+ was sent/,
  },
  "the highest position there is": {
    send: () => ackOf(0xffff_ffff_ffff_ffffn, text(FILE)),
    told: /^1835: .*only what is before position \d+ was sent/,
  },
  "a position before its dump": {
    send: () => ackOf(4n, text(FILE)),
    told: /^1835: .*was acknowledged before/,
  },
};

for (const [what, { send, told }] of Object.entries(HOSTILE)) {
  Deno.test(`a replica that acknowledges ${what} ends its own dump alone`, async () => {
    await using kingbus = await openKingbus();
    const good = await askedClient(kingbus, 901);
    await using goodClient = good.client;
    await goodClient.acknowledge(FILE, good.position);
    const bad = await askedClient(kingbus, 902);
    await using badClient = bad.client;
    await badClient.send(send(bad.position));
    assertMatch(await lastWords(badClient), told);
    await kingbus.waitUntilDumping(1);
    // The other one goes on, and so does what follows the source.
    const asked = await goodClient.nextAsked();
    await goodClient.acknowledge(FILE, logPosAt(asked.payload, 3));
    await source.run(INSERT);
    const { payload } = await goodClient.nextAsked();
    await goodClient.acknowledge(FILE, logPosAt(payload, 3));
    await waitUntil("the acknowledgement came", () => {
      const acks = kingbus.replicas[0]?.acks;
      return acks?.received === 3 && acks.position === kingbus.head.position;
    });
  });
}

Deno.test("a replica that acknowledges what nobody asked ends its own dump alone", async () => {
  await using kingbus = await openKingbus();
  const { client, position } = await askedClient(kingbus, 903);
  await using badClient = client;
  await badClient.acknowledge(FILE, position);
  await badClient.acknowledge(FILE, position);
  assertMatch(
    await lastWords(badClient),
    /^1835: .*nothing was asked that is still open/,
  );
});

/** What is no acknowledgement, and whether one can be read after it. */
const STRAY: Record<string, { bytes: Uint8Array; readable: boolean }> = {
  "another magic number": {
    bytes: rawPacket(ackOf(4n, text(FILE)).with(0, 0xee), 0),
    readable: true,
  },
  "a statement": {
    bytes: rawPacket(text("\u0003SELECT 1"), 0),
    readable: true,
  },
  "an empty packet": { bytes: rawPacket(new Uint8Array(0), 0), readable: true },
  "a packet with a number": {
    bytes: rawPacket(ackOf(4n, text(FILE)), 7),
    readable: false,
  },
  "a packet of a megabyte": {
    bytes: rawPacket(ackOf(4n, new Uint8Array(2 ** 20)), 0),
    readable: false,
  },
  "bytes that are no packets": {
    bytes: text("GET / HTTP/1.1\r\n\r\n"),
    readable: false,
  },
};

for (const [what, { bytes, readable }] of Object.entries(STRAY)) {
  Deno.test(`a semi-synchronous dump goes on after ${what}`, async () => {
    await using kingbus = await openKingbus();
    const { client } = await askedClient(kingbus, 904);
    await using stray = client;
    for (let round = 0; round < 3; round++) {
      await stray.sendRaw(bytes);
      await source.run(INSERT);
      await stray.nextAsked();
    }
    const newest = kingbus.head.position;
    await stray.acknowledge(FILE, newest);
    await source.run(INSERT);
    await stray.nextAsked();
    if (!readable) {
      assertEquals(kingbus.replicas[0]?.acks?.received, 0);
      return;
    }
    await waitUntil(
      "the acknowledgement came",
      () => kingbus.replicas[0]?.acks?.position === newest,
    );
  });
}

Deno.test("a flood of acknowledgements ends its own dump alone", async () => {
  await using kingbus = await openKingbus();
  const good = await askedClient(kingbus, 905);
  await using goodClient = good.client;
  await goodClient.acknowledge(FILE, good.position);
  const bad = await askedClient(kingbus, 906);
  await using badClient = bad.client;
  const ack = ackOf(BigInt(bad.position), text(FILE));
  const packet = Uint8Array.of(ack.length, 0, 0, 0, ...ack);
  const flood = new Uint8Array(packet.length * 20_000);
  for (let at = 0; at < flood.length; at += packet.length) {
    flood.set(packet, at);
  }
  // It is refused while it sends: that may be noticed here first.
  await badClient.sendRaw(flood).catch(() => {});
  await kingbus.waitUntilDumping(1);
  await goodClient.nextAsked();
  assert(kingbus.status.state === "following");
});

Deno.test("pings and a silent replica do a semi-synchronous dump no harm", async () => {
  await using kingbus = await openKingbus();
  const { client, position } = await askedClient(kingbus, 907);
  await using one = client;
  for (let n = 0; n < 50; n++) await one.send(Uint8Array.of(0x0e));
  // It is asked again and again, and the stream goes on without its word.
  let newest = position;
  for (let n = 0; n < 20; n++) {
    await source.run(INSERT);
    newest = logPosAt((await one.nextAsked()).payload, 3);
  }
  await one.send(Uint8Array.of(0x0e));
  // One word is for all before.
  await one.acknowledge(FILE, newest);
  await waitUntil("the acknowledgement came", () => {
    return kingbus.replicas[0]?.acks?.position === newest;
  });
  assertEquals(kingbus.replicas[0]?.acks, {
    asked: 21,
    received: 1,
    file: FILE,
    position: newest,
  });
});

Deno.test("a replica that says goodbye during a semi-synchronous dump is let go", async () => {
  await using kingbus = await openKingbus();
  const { client } = await askedClient(kingbus, 908);
  {
    await using one = client;
    await one.send(Uint8Array.of(0x01));
  }
  await waitUntil("nobody was connected", () => kingbus.replicas.length === 0);
});
