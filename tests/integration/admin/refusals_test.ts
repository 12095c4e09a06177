import { assertEquals } from "@std/assert";
import {
  type AdminRefusalReason,
  NOTHING_REFUSED,
} from "../../../lib/admin/connection_refusals.ts";
import { HttpListener } from "../../../lib/admin/http_listener.ts";
import type { Credentials } from "../../../lib/tls/credentials.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { exchange, latin1 } from "../../support/http_exchange.ts";
import { TestAuthority } from "../../support/test_authority.ts";

const CONNECTIONS_MAX = 2;

/** Has a connection refused. */
interface Provocation {
  /** Whether the listener is asked over TLS. */
  readonly secured?: boolean;
  readonly provoke: (
    port: number,
    wasRefused: () => Promise<void>,
  ) => Promise<void>;
}

const REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n";

/** Sends something over a connection of its own, which stays until it is refused. */
async function hold(
  port: number,
  sent: string,
  wasRefused: () => Promise<void>,
): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(latin1(sent));
  await wasRefused();
}

/** Each reason, by a client over a real connection. */
const PROVOCATIONS: Readonly<Record<AdminRefusalReason, Provocation>> = {
  "too-many-connections": {
    provoke: async (port, wasRefused) => {
      const held: Deno.TcpConn[] = [];
      try {
        for (let count = 0; count < CONNECTIONS_MAX; count++) {
          const conn = await Deno.connect({ hostname: "127.0.0.1", port });
          held.push(conn);
          await conn.write(latin1(`HEAD${REQUEST.slice(3)}\r\n`));
          await conn.read(new Uint8Array(1000));
        }
        await hold(port, "", wasRefused);
      } finally {
        for (const conn of held) conn.close();
      }
    },
  },
  "malformed": {
    provoke: async (port) => void await exchange(port, "no HTTP\r\n\r\n"),
  },
  "too-slow": {
    provoke: (port, wasRefused) => hold(port, REQUEST, wasRefused),
  },
  "head-too-large": {
    provoke: async (port) => {
      const large = `${REQUEST}X: ${"y".repeat(100_000)}\r\n\r\n`;
      await exchange(port, large);
    },
  },
  "tls-failed": {
    secured: true,
    provoke: async (port) => void await exchange(port, `${REQUEST}\r\n`),
  },
  "not-read": {
    provoke: (port, wasRefused) => hold(port, `${REQUEST}\r\n`, wasRefused),
  },
};

async function credentials(): Promise<Credentials> {
  const authority = await TestAuthority.make("kingbus test");
  const { certificatePem, keyPem } = await authority.issue({
    hosts: ["127.0.0.1"],
  });
  return { certificatePem, keyPem } as Credentials;
}

for (const [reason, { secured, provoke }] of Object.entries(PROVOCATIONS)) {
  Deno.test(`a connection that the admin API ends is told of once: ${reason}`, async () => {
    const refused: AdminRefusalReason[] = [];
    await using listener = await HttpListener.open({
      address: { hostname: "127.0.0.1", port: 0 },
      // More than any socket takes for somebody who does not read.
      answer: () => Promise.resolve(new Response(new Uint8Array(2 ** 26))),
      onRefused: (reason) => refused.push(reason),
      ...secured ? { tls: await credentials() } : {},
      limits: {
        connectionsMax: CONNECTIONS_MAX,
        // Those that are held otherwise must not be slow as well.
        ...reason === "too-slow" ? { headTimeoutMs: 300 } : {},
        ...reason === "not-read" ? { answerTimeoutMs: 300 } : {},
        checkMs: 50,
      },
    });
    const wasRefused = (): Promise<void> =>
      waitUntil("it was refused", () => refused.length > 0, {
        deadlineMs: 20_000,
      }).then(() => {});
    await provoke(listener.bound.port, wasRefused);
    await wasRefused();
    assertEquals(refused, [reason]);
  });
}

for (const secured of [false, true]) {
  Deno.test(`who looks whether there is somebody, and goes, is refused nothing ${secured ? "over TLS" : "without TLS"}`, async () => {
    const refused: AdminRefusalReason[] = [];
    await using listener = await HttpListener.open({
      address: { hostname: "127.0.0.1", port: 0 },
      answer: () => Promise.resolve(new Response("here")),
      onRefused: (reason) => refused.push(reason),
      ...secured ? { tls: await credentials() } : {},
    });
    const { port } = listener.bound;
    for (let count = 0; count < 5; count++) {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    }
    // By then the listener has heard of their ends.
    assertEquals(
      await exchange(port, "x\r\n\r\n").then(() => refused.length),
      1,
    );
  });
}

Deno.test("every reason for which the admin API ends connections is provoked", () => {
  assertEquals(
    Object.keys(PROVOCATIONS).sort(),
    Object.keys(NOTHING_REFUSED).sort(),
  );
});
