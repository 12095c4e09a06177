import { assertEquals, assertRejects } from "@std/assert";
import type { ClientConnection } from "../../../lib/connection/client_connection.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import {
  SESSION_ERROR_KINDS,
  type SessionErrorKind,
} from "../../../lib/server/service_counters.ts";
import { SOURCE_IDENTITY_META } from "../../../lib/store/source_identity.ts";
import { rawPacket } from "../../support/raw_socket.ts";
import {
  eventually,
  SOURCE,
  TestServer,
  type TestServerOptions,
  testStore,
} from "./test_server.ts";

/** How a session is made to end in an error of one kind. */
interface Provocation {
  readonly options?: () => TestServerOptions;
  /** What its client does, once it has logged in. */
  readonly provoke: (client: ClientConnection) => Promise<void>;
}

/** Begins a command that it does not finish. */
async function beginCommand({ writer }: ClientConnection): Promise<void> {
  const begun = rawPacket(new TextEncoder().encode("\x03SELECT"), 0, 100);
  await writer.writeRaw(begun);
}

/** Each kind, over a real connection; of a timeout, each there is. */
const PROVOCATIONS: Readonly<
  Record<SessionErrorKind, Readonly<Record<string, Provocation>>>
> = {
  protocol: {
    "a command without its first byte": {
      provoke: async ({ writer }) => {
        await writer.write(new Uint8Array(0), 0);
      },
    },
  },
  timeout: {
    "no command for too long": {
      options: () => ({ server: { idleTimeoutMs: 200 } }),
      provoke: () => Promise.resolve(),
    },
    "a command that is never finished": {
      options: () => ({ server: { unfinishedTimeoutMs: 200 } }),
      provoke: beginCommand,
    },
    "answers that nobody reads": {
      options: () => ({ server: { writeTimeoutMs: 200 } }),
      provoke: async ({ writer }) => {
        // Each answer has the text, until the sockets hold no more.
        const text = `SELECT '${"x".repeat(500_000)}'`;
        const command = new TextEncoder().encode(`\x03${text}`);
        try {
          for (let count = 0; count < 200; count++) {
            await writer.write(command, 0);
          }
        } catch {
          // It was cut off.
        }
      },
    },
  },
  lost: {
    "a connection that breaks in a command": {
      provoke: async (client) => {
        await beginCommand(client);
        client.close();
      },
    },
  },
  internal: {
    "a fault of kingbus": {
      // That it has a log without events would be one.
      options: () => ({
        store: testStore({ [SOURCE_IDENTITY_META]: SOURCE }),
      }),
      provoke: async (client) => {
        await assertRejects(
          () => client.query("SHOW BINLOG EVENTS"),
          ServerError,
          "Internal error",
        );
      },
    },
  },
};

for (const [kind, ways] of Object.entries(PROVOCATIONS)) {
  for (const [what, { options, provoke }] of Object.entries(ways)) {
    Deno.test(`a session that ends in an error is counted as ${kind}: ${what}`, async () => {
      await using server = await TestServer.start(options?.());
      const { sessionErrors } = server.server.counters;
      await using client = await server.connect();
      await provoke(client);
      await eventually(() => sessionErrors[kind as SessionErrorKind] > 0);
      assertEquals(
        Object.entries(sessionErrors).filter(([, count]) => count > 0),
        [[kind, 1]],
      );
    });
  }
}

Deno.test("every kind of error that a session can end in is provoked", () => {
  assertEquals(
    Object.keys(PROVOCATIONS).sort(),
    [...SESSION_ERROR_KINDS].sort(),
  );
});
