import { assert, assertEquals } from "@std/assert";
import { Command, decodeQuery } from "../../lib/protocol/command.ts";
import {
  decodeErr,
  decodeOk,
  isErr,
  type OkPacket,
} from "../../lib/protocol/response.ts";
import {
  type TextAnswer,
  TextResultSetDecoder,
} from "../../lib/protocol/result_set.ts";
import {
  type Conversation,
  type Exchange,
  transcriptOf,
  withoutIdleHeartbeats,
} from "./conversation.ts";
import { joinBytes } from "./dump_packets.ts";
import { isHeartbeat } from "./dump_client.ts";
import { compareDumps, type DumpTranscript } from "./dump_comparison.ts";
import type { KnownDifferenceName } from "./known_differences.ts";

/** Statements whose answers tell the moment. */
const MOMENT = /\b(UNIX_TIMESTAMP|NOW|SYSDATE|CURRENT_TIMESTAMP|UUID)\s*\(/i;

/** Statements whose answers tell of the server itself. */
const OWN_VALUE = /version_comment|hostname|CONNECTION_ID|@@port|@@datadir/i;

/** Statements that not every version of MySQL knows. */
const BY_VERSION =
  /^show (master (status|logs)|binary log status|(slave|replica) status|slave hosts|replicas)\b/i;

/** Versions that tell of each event they leave out, in their own way. */
const BEFORE_57 = /^5\.[0-6]\./;

/** What a comparison may be told beside the list of known differences. */
export interface CompareOptions {
  /** Statements that are not compared, for a reason that the test gives. */
  readonly except?: RegExp;
  /**
   * Whether the client may leave in the middle of the dump. Then the shorter
   * one has to be how the longer one begins; what the client made of it is for
   * the test to compare.
   */
  readonly mayLeave?: boolean;
}

/**
 * Compares what one client has said and heard in two conversations, packet by
 * packet: one with kingbus, one with the source itself. Everything the client
 * says has to be the same, so kingbus's answers lead it nowhere else.
 *
 * @returns The known differences that were found; any other fails.
 */
export function compareConversations(
  actual: Conversation,
  expected: Conversation,
  options: CompareOptions = {},
): Set<KnownDifferenceName> {
  const found = new Set<KnownDifferenceName>();
  compareLogin(actual, expected, found);
  const killed = [actual, expected].map(({ exchanges, capabilities }) =>
    exchanges.map((exchange) => sayable(exchange, capabilities))
  );
  assertEquals(killed[0], killed[1], "what the client says");
  actual.exchanges.forEach((exchange, index) => {
    const other = expected.exchanges[index]!;
    const statement = statementOf(exchange, actual.capabilities);
    if (options.except?.test(statement)) return;
    if (exchange.command[0] === Command.QUERY) {
      compareAnswers(exchange, actual, other, expected, statement, found);
    } else {
      const what = `command ${exchange.command[0]}`;
      const [[mine, ...more], [yours, ...others]] = [exchange, other].map(
        ({ answer }) => answer.map(({ payload }) => payload),
      ) as [Uint8Array[], Uint8Array[]];
      assertEquals([more, others], [[], []], what);
      assert(mine !== undefined && yours !== undefined, what);
      if (mine.toHex() === yours.toHex()) return;
      compareOk(decodeOk(mine), decodeOk(yours), what, found);
    }
  });
  assertEquals(actual.dump?.command.toHex(), expected.dump?.command.toHex());
  if (actual.dump !== undefined && expected.dump !== undefined) {
    const { serverVersion } = expected.greeting;
    compareDumpPackets(
      actual.dump,
      expected.dump,
      serverVersion,
      options.mayLeave ?? false,
      found,
    );
  }
  return found;
}

function compareLogin(
  actual: Conversation,
  expected: Conversation,
  found: Set<KnownDifferenceName>,
): void {
  const [ours, theirs] = [actual.greeting, expected.greeting];
  assertEquals(ours.serverVersion, theirs.serverVersion);
  assertEquals(ours.statusFlags, theirs.statusFlags);
  assertEquals(actual.loggedIn.toHex(), expected.loggedIn.toHex());
  if (ours.connectionId !== theirs.connectionId) found.add("connection-id");
  if (ours.scramble.toHex() !== theirs.scramble.toHex()) found.add("scramble");
  if (ours.capabilities !== theirs.capabilities) found.add("capabilities");
  if (ours.charset !== theirs.charset) found.add("greeting-charset");
  if (ours.authPlugin !== theirs.authPlugin) found.add("authentication");
}

/** The statement of a command; empty if it is none. */
function statementOf({ command }: Exchange, capabilities: number): string {
  return command[0] === Command.QUERY ? decodeQuery(command, capabilities) : "";
}

/** A command in words that are the same for both servers. */
function sayable(exchange: Exchange, capabilities: number): string {
  const statement = statementOf(exchange, capabilities);
  if (statement === "") return exchange.command.toHex();
  return statement.replace(/^(KILL (?:CONNECTION |QUERY )?)\d+/i, "$1<id>");
}

/** Whether an answer has columns with MariaDB's own field. */
function isExtended({ answer }: Exchange): boolean {
  return answer.some(({ payload }) =>
    withoutExtendedMetadata(payload) !== payload
  );
}

/** What an answer says: the error's text, or columns and rows. */
function answerOf(
  { answer }: Exchange,
  capabilities: number,
): string | TextAnswer {
  const decoder = new TextResultSetDecoder(capabilities);
  for (const { payload } of answer) {
    if (isErr(payload)) {
      const { code, sqlState, message } = decodeErr(payload);
      return `${code} ${sqlState} ${message}`;
    }
    decoder.push(withoutExtendedMetadata(payload));
  }
  return decoder.answer();
}

/** How a column's description begins: its catalog. */
const COLUMN_BEGIN = "03646566";
/** Length of the fixed part at a column description's end. */
const FIXED_PART_BYTES = 0x0c;

/**
 * A column's description as MySQL has it. MariaDB puts one more field in front
 * of the fixed part for clients that know it (MARIADB_CLIENT_EXTENDED_METADATA).
 */
function withoutExtendedMetadata(payload: Uint8Array): Uint8Array {
  const fixedAt = payload.length - FIXED_PART_BYTES - 1;
  const isColumn = payload.subarray(0, 4).toHex() === COLUMN_BEGIN &&
    payload[fixedAt] === FIXED_PART_BYTES;
  if (!isColumn) return payload;
  let at = 0;
  for (let strings = 6; strings > 0; strings--) at += 1 + payload[at]!;
  return at === fixedAt ? payload : joinBytes([
    payload.subarray(0, at),
    payload.subarray(fixedAt),
  ]);
}

/** Whether there was no such connection to kill any more. */
function isGone(answer: string | TextAnswer): boolean {
  return typeof answer === "string" && answer.startsWith("1094 ");
}

function compareAnswers(
  exchange: Exchange,
  { capabilities }: Conversation,
  other: Exchange,
  { capabilities: otherCapabilities }: Conversation,
  statement: string,
  found: Set<KnownDifferenceName>,
): void {
  const bytes = ({ answer }: Exchange): string[] =>
    answer.map(({ sequenceId, payload }) => `${sequenceId} ${payload.toHex()}`);
  if (bytes(exchange).join() === bytes(other).join()) return;
  if (isExtended(other) && !isExtended(exchange)) {
    found.add("mariadb-extensions");
  }
  const actual = answerOf(exchange, capabilities);
  const expected = answerOf(other, otherCapabilities);
  if (typeof expected === "string" && BY_VERSION.test(statement)) {
    assert(expected.startsWith("1064 "), expected);
    found.add("both-spellings");
    return;
  }
  if (/^KILL/i.test(statement) && isGone(actual) !== isGone(expected)) {
    found.add("kill-of-closed");
    return;
  }
  if (typeof actual === "string" || typeof expected === "string") {
    assertEquals(actual, expected, statement);
    return;
  }
  const names = ({ columns }: TextAnswer): string[] =>
    columns.map(({ name }) => name);
  assertEquals(names(actual), names(expected), statement);
  assertEquals(actual.ok === undefined, expected.ok === undefined, statement);
  assertEquals(actual.rows.length, expected.rows.length, statement);
  if (JSON.stringify(actual.rows) !== JSON.stringify(expected.rows)) {
    if (MOMENT.test(statement)) found.add("time");
    else if (OWN_VALUE.test(statement)) found.add("own-values");
    else assertEquals(actual.rows, expected.rows, statement);
  }
  if (actual.ok !== undefined && expected.ok !== undefined) {
    compareOk(actual.ok, expected.ok, statement, found);
  } else if (
    JSON.stringify(actual.columns) !== JSON.stringify(expected.columns)
  ) {
    found.add("column-metadata");
  }
}

/** The server may tell of the session's state behind the OK. */
const SESSION_STATE_CHANGED = 0x4000;
/** A transaction is open. */
const IN_TRANSACTION = 0x0001;

function compareOk(
  actual: OkPacket,
  expected: OkPacket,
  statement: string,
  found: Set<KnownDifferenceName>,
): void {
  if (actual.warnings !== expected.warnings) found.add("warnings");
  if ((expected.statusFlags & SESSION_STATE_CHANGED) !== 0) {
    found.add("session-tracking");
  }
  const told = { ...expected, warnings: actual.warnings };
  if (actual.statusFlags !== (told.statusFlags & ~SESSION_STATE_CHANGED)) {
    found.add("in-transaction");
  }
  told.statusFlags &= ~(SESSION_STATE_CHANGED | IN_TRANSACTION);
  assertEquals(actual, told, statement);
}

/** A dump in which one heartbeat stands for many in a row, the last for none. */
function withoutSkipped({ events, end }: DumpTranscript): DumpTranscript {
  const kept = events.filter((event, index) =>
    !isHeartbeat(event) ||
    index + 1 < events.length && !isHeartbeat(events[index + 1]!)
  );
  return { events: kept, end };
}

function compareDumpPackets(
  actual: Exchange,
  expected: Exchange,
  version: string,
  mayLeave: boolean,
  found: Set<KnownDifferenceName>,
): void {
  const heartbeats = (dump: DumpTranscript): number =>
    dump.events.filter(isHeartbeat).length;
  const [ours, theirs] = [actual, expected].map(transcriptOf);
  let [mine, yours] = [ours!, theirs!].map(withoutIdleHeartbeats);
  const idle = [ours!, theirs!].map(({ events }, index) =>
    events.length - [mine!, yours!][index]!.events.length
  );
  const length = Math.min(mine!.events.length, yours!.events.length);
  if (mayLeave && (mine!.end === "" || yours!.end === "")) {
    if (mine!.events.length !== yours!.events.length) {
      found.add("after-leaving");
    }
    [mine, yours] = [mine!, yours!].map(({ events }) => ({
      events: events.slice(0, length),
      end: "",
    }));
  }
  if (idle[0] !== idle[1]) found.add("idle-heartbeats");
  const said = yours!.events.length > 0 || yours!.end !== "";
  assert(said, "the source has sent something");
  if (BEFORE_57.test(version)) {
    if (heartbeats(mine!) !== heartbeats(yours!)) {
      found.add("skipped-heartbeats");
    }
    [mine, yours] = [withoutSkipped(mine!), withoutSkipped(yours!)];
  }
  for (const name of compareDumps(mine!, yours!)) found.add(name);
}
