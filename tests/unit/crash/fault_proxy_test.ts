import { assert, assertEquals, assertRejects } from "@std/assert";
import { FaultProxy } from "../../crash/fault_proxy.ts";

/** Packets of 10 bytes, header included, numbered in their body. */
function packets(count: number): Uint8Array {
  const bytes = new Uint8Array(10 * count);
  for (let packet = 0; packet < count; packet++) {
    bytes.set([6, 0, 0, packet, 1, 2, 3, 4, 5, packet], 10 * packet);
  }
  return bytes;
}

/** A server that sends each client the same, and then waits for its end. */
class Sender implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #tasks: Promise<void>[] = [];
  readonly #bytes: Uint8Array;
  readonly #accepting: Promise<void>;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#accepting = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    await Promise.all(this.#tasks);
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) this.#tasks.push(this.#send(conn));
  }

  async #send(conn: Deno.Conn): Promise<void> {
    using open = conn;
    try {
      for (let rest = this.#bytes; rest.length > 0;) {
        rest = rest.subarray(await open.write(rest));
      }
      while (await open.read(new Uint8Array(100)) !== null);
    } catch {
      // it was reset
    }
  }
}

/** Reads until the connection ends, or `enough` bytes are there. */
async function readAll(
  conn: Deno.Conn,
  enough = Infinity,
): Promise<Uint8Array> {
  const found: number[] = [];
  const buffer = new Uint8Array(1_000);
  while (found.length < enough) {
    const count = await conn.read(buffer);
    if (count === null) break;
    found.push(...buffer.subarray(0, count));
  }
  return Uint8Array.from(found);
}

async function connected(
  proxy: FaultProxy,
  use: (conn: Deno.TcpConn) => Promise<void>,
): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
  await use(conn);
}

Deno.test("FaultProxy passes on everything as it is", async () => {
  await using sender = new Sender(packets(50));
  await using proxy = await FaultProxy.open(sender.port);
  await connected(proxy, async (conn) => {
    assertEquals(await readAll(conn, 500), packets(50));
    await conn.closeWrite();
    assertEquals((await readAll(conn)).length, 0);
  });
  assertEquals(proxy.bytes, 500);
});

Deno.test("FaultProxy ends connections after any byte", async () => {
  await using sender = new Sender(packets(5));
  for (const bytes of [0, 1, 3, 4, 10, 27, 49]) {
    await using proxy = await FaultProxy.open(sender.port);
    const cut = proxy.cutAfter("fin", bytes);
    await connected(proxy, async (conn) => {
      assertEquals(await readAll(conn), packets(5).subarray(0, bytes));
    });
    await cut;
    assertEquals(proxy.cuts, 1);
  }
});

Deno.test("FaultProxy truncates inside a packet, never between two", async () => {
  await using sender = new Sender(packets(5));
  for (
    const [bytes, passed] of [[0, 1], [1, 1], [10, 11], [19, 19], [20, 21]]
  ) {
    await using proxy = await FaultProxy.open(sender.port);
    proxy.cutAfter("truncate", bytes!);
    await connected(proxy, async (conn) => {
      assertEquals((await readAll(conn)).length, passed);
    });
  }
});

Deno.test("FaultProxy resets connections", async () => {
  await using sender = new Sender(packets(5));
  await using proxy = await FaultProxy.open(sender.port);
  proxy.cutAfter("rst", 20);
  await connected(proxy, async (conn) => {
    await assertRejects(() => readAll(conn), Deno.errors.ConnectionReset);
  });
});

Deno.test("FaultProxy holds up what passes, and lets it go on", async () => {
  await using sender = new Sender(packets(5));
  await using proxy = await FaultProxy.open(sender.port);
  const goOn = proxy.hold();
  await connected(proxy, async (conn) => {
    let came = false;
    const reading = readAll(conn, 50).then((bytes) => {
      came = true;
      return bytes;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert(!came);
    goOn();
    assertEquals(await reading, packets(5));
  });
});

Deno.test("FaultProxy silences those who are there, and not those who come", async () => {
  await using sender = new Sender(packets(5));
  await using proxy = await FaultProxy.open(sender.port);
  await connected(proxy, async (conn) => {
    assertEquals((await readAll(conn, 50)).length, 50);
    proxy.silence();
    await conn.write(new Uint8Array(5));
    let ended = false;
    const reading = readAll(conn).catch(() => {}).then(() => ended = true);
    await connected(proxy, async (other) => {
      assertEquals((await readAll(other, 50)).length, 50);
    });
    assert(!ended);
    conn.close();
    await reading;
  }).catch((error) => assert(error instanceof Deno.errors.BadResource));
});

Deno.test("FaultProxy refuses at once, or waits for a server that is not there", async () => {
  const gone = new Sender(packets(1));
  const { port } = gone;
  await gone[Symbol.asyncDispose]();
  await using proxy = await FaultProxy.open(port);
  proxy.refusesWhileDown = true;
  await connected(proxy, async (conn) => {
    assertEquals((await readAll(conn)).length, 0);
  });
  proxy.refusesWhileDown = false;
  await connected(proxy, async (conn) => {
    const reading = readAll(conn, 3);
    await new Promise((resolve) => setTimeout(resolve, 60));
    const listener = Deno.listen({ hostname: "127.0.0.1", port });
    using served = await listener.accept();
    listener.close();
    await served.write(new TextEncoder().encode("abc"));
    assertEquals((await reading).length, 3);
  });
});
