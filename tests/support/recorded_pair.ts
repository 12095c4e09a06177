import { assert } from "@std/assert";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import { compareConversations } from "./compare_conversations.ts";
import {
  type Conversation,
  conversationOf,
  endOfDump,
  transcriptOf,
} from "./conversation.ts";
import type { KnownDifferenceName } from "./known_differences.ts";
import { RecordingProxy } from "./recording_proxy.ts";
import { logEndOf, type SqlServer } from "./sql_server.ts";
import type { ServerAddress } from "./test_kingbus.ts";

/** How a client is run once. */
export interface ClientRun {
  /** What the client connects to. */
  readonly address: ServerAddress;
  /**
   * Waits until the client's dump has been sent all of the source's log; for a
   * client that would never end by itself.
   */
  readonly sentAll: () => Promise<void>;
}

/** The conversations on a proxy's connections: those without a dump first. */
function conversationsOn(proxy: RecordingProxy): Conversation[] {
  const all = proxy.connections.map(conversationOf)
    .filter((conversation) => conversation !== undefined);
  return [
    ...all.filter(({ dump }) => dump === undefined),
    ...all.filter(({ dump }) => dump !== undefined),
  ];
}

/** Runs a client through a recording proxy. */
async function record(
  server: ServerAddress,
  log: SqlServer,
  client: (run: ClientRun) => Promise<void>,
): Promise<Conversation[]> {
  await using proxy = new RecordingProxy(server);
  const sentAll = async (): Promise<void> => {
    const { fileName, position } = await logEndOf(log);
    await waitUntil(`the client was sent ${fileName}:${position}`, () => {
      const dump = conversationsOn(proxy).at(-1)?.dump;
      if (dump === undefined) return false;
      const end = endOfDump(transcriptOf(dump));
      return end.file === fileName && end.position === position;
    }, { deadlineMs: 10_000, intervalMs: 50 });
  };
  await client({ address: { port: proxy.port }, sentAll });
  return conversationsOn(proxy);
}

/** What {@linkcode assertSameConversations} compares. */
export interface RecordedPair {
  readonly kingbus: ServerAddress;
  readonly source: ServerAddress & SqlServer;
  /** Runs the client to its end, the same way each time. */
  readonly client: (run: ClientRun) => Promise<void>;
  /** Called between the two runs, as for a replica that forgets all again. */
  readonly between?: () => Promise<void>;
  /** Statements that are not compared, for a reason that the test gives. */
  readonly except?: RegExp;
  /** Whether the client may leave in the middle of a dump. */
  readonly mayLeave?: boolean;
}

/**
 * Runs a client against the source and against kingbus, each time through a
 * recording proxy, and compares packet by packet what was said on each of its
 * connections. Kingbus has to run under the source's identity.
 *
 * @returns The known differences that there were.
 */
export async function assertSameConversations(
  { kingbus, source, client, between, ...options }: RecordedPair,
): Promise<Set<KnownDifferenceName>> {
  const expected = await record(source, source, client);
  await between?.();
  const actual = await record(kingbus, source, client);
  assert(expected.length > 0, "the client has connected to the source");
  assert(
    actual.length === expected.length,
    `the client made ${actual.length} connections to kingbus, ${expected.length} to the source`,
  );
  const found = new Set<KnownDifferenceName>();
  expected.forEach((conversation, index) => {
    const differences = compareConversations(
      actual[index]!,
      conversation,
      options,
    );
    for (const name of differences) found.add(name);
  });
  return found;
}
