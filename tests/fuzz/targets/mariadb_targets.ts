import { writeEventChecksum } from "../../../lib/binlog/checksum.ts";
import { HEADER_BYTES } from "../../../lib/binlog/event_header.ts";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { MalformedEventError } from "../../../lib/binlog/malformed_event_error.ts";
import { MariadbGtidReader } from "../../../lib/binlog/mariadb_gtid_event.ts";
import {
  decodeMariadbGtidList,
  encodeMariadbGtidList,
} from "../../../lib/binlog/mariadb_gtid_list.ts";
import { MalformedGtidSetError } from "../../../lib/gtid/gtid_set.ts";
import {
  formatMariadbGtid,
  parseMariadbGtid,
} from "../../../lib/gtid/mariadb_gtid.ts";
import {
  formatMariadbGtidPosition,
  parseMariadbGtidPosition,
} from "../../../lib/gtid/mariadb_gtid_position.ts";
import { MariadbGtidState } from "../../../lib/gtid/mariadb_gtid_state.ts";
import { loadBinlogFixtures } from "../../support/binlog_fixture.ts";
import { FuzzInput, withChoices } from "../fuzz_input.ts";
import { type FuzzTarget, outcomeOf, require } from "../fuzz_target.ts";

const encoder = new TextEncoder();

const TEXTS = [
  "0-1-100",
  "0-1-5,0-2-9,1-1-3",
  "4294967295-4294967295-18446744073709551615",
  " 0-1-1 , 7-3-2 ",
  "",
];

const EVENTS = loadBinlogFixtures("mariadb1011").flatMap(({ events }) =>
  events.filter(({ type }) =>
    type === EventType.MARIADB_GTID || type === EventType.MARIADB_GTID_LIST
  ).map(({ bytes }) => bytes)
);

const LISTS = TEXTS.slice(0, 3).map((text) =>
  encodeMariadbGtidList(MariadbGtidState.parse(text), {
    timestamp: 0,
    serverId: 1,
    endPosition: 300,
    algorithm: "crc32",
    artificial: false,
  })
);

/** What has to be true of every state. */
function checkState(state: MariadbGtidState): void {
  require(
    MariadbGtidState.parse(state.toString()).toString() === state.toString(),
    "parse(toString(x)) is x",
  );
  const again = MariadbGtidState.decode(state.encode());
  require(again.equals(state), "decode(encode(x)) is x");
  require(state.clone().equals(state), "a clone is the same");
  require(state.contains(state), "it contains itself");
  require(state.missing(state).length === 0, "it lacks nothing of itself");
  const { length } = state.domains();
  require(state.position().length === length, "one position for each domain");
  require(state.entries().length === state.size, "as many entries as its size");
}

/** The state by its definition: the last that was added of each server. */
function builtState(input: FuzzInput): string {
  const state = new MariadbGtidState();
  const last = new Map<string, bigint>();
  const newest = new Map<number, string>();
  for (let n = 0; n < 60 && !input.atEnd; n++) {
    const domain = input.byte() % 4;
    const server = input.byte() % 3;
    const sequence = BigInt(input.byte());
    state.add({ domain, server, sequence });
    last.set(`${domain}-${server}`, sequence);
    newest.set(domain, `${domain}-${server}-${sequence}`);
  }
  checkState(state);
  require(state.size === last.size, "one entry for each server of a domain");
  for (const [key, sequence] of last) {
    const [domain, server] = key.split("-").map(Number) as [number, number];
    require(
      state.sequenceOf(domain, server) === sequence,
      `the last of ${key} is ${sequence}`,
    );
    require(
      state.has({ domain, server, sequence }) &&
        !state.has({ domain, server, sequence: sequence + 1n }),
      "it has what was added and nothing later",
    );
  }
  require(
    state.position().map(formatMariadbGtid).sort().join() ===
      [...newest.values()].sort().join(),
    "the position is the newest of each domain",
  );
  return `${last.size} ${newest.size}`;
}

function repair(event: Uint8Array): void {
  if (event.length < HEADER_BYTES + 4) return;
  new DataView(event.buffer, event.byteOffset).setUint32(9, event.length, true);
  writeEventChecksum(event);
}

/** What MariaDB's sources and replicas say. */
export const MARIADB_TARGETS: readonly FuzzTarget[] = [
  {
    name: "mariadb-gtid-text",
    corpus: TEXTS.map((text) => encoder.encode(text)),
    dictionary: ["0-1-", ",", "-", "4294967296", " ", "18446744073709551616"]
      .map((text) => encoder.encode(text)),
    run(bytes) {
      const text = new TextDecoder().decode(bytes);
      return [
        outcomeOf(() => {
          const gtid = parseMariadbGtid(text);
          require(
            formatMariadbGtid(parseMariadbGtid(formatMariadbGtid(gtid))) ===
              formatMariadbGtid(gtid),
            "parse(format(x)) is x",
          );
        }, SyntaxError),
        outcomeOf(() => {
          const position = parseMariadbGtidPosition(text);
          const again = formatMariadbGtidPosition(position);
          require(
            formatMariadbGtidPosition(parseMariadbGtidPosition(again)) ===
              again,
            "parse(format(x)) is x",
          );
        }, SyntaxError),
        outcomeOf(() => checkState(MariadbGtidState.parse(text)), SyntaxError),
      ].join(" | ");
    },
  },
  {
    name: "mariadb-gtid-state",
    corpus: [
      withChoices([0], Uint8Array.of(0, 1, 9, 0, 2, 8, 1, 1, 1, 0, 1, 7)),
      ...TEXTS.map((text) =>
        withChoices([1], MariadbGtidState.parse(text).encode())
      ),
    ],
    run(bytes) {
      const input = new FuzzInput(bytes);
      if (!input.flag()) return builtState(input);
      return outcomeOf(
        () => checkState(MariadbGtidState.decode(input.rest())),
        MalformedGtidSetError,
      );
    },
  },
  {
    name: "mariadb-event",
    corpus: [...EVENTS, ...LISTS].map((event) => withChoices([0], event)),
    run(bytes) {
      const input = new FuzzInput(bytes);
      const repaired = !input.flag();
      const event = input.rest();
      if (repaired) repair(event);
      return [
        outcomeOf(() => {
          const reader = new MariadbGtidReader();
          if (!reader.read(event, 0, event.length)) return undefined;
          const text = formatMariadbGtid(reader);
          require(
            formatMariadbGtid(parseMariadbGtid(text)) === text,
            "its text is read back",
          );
          return reader.flags;
        }, MalformedEventError),
        outcomeOf(
          () => {
            const { state } = decodeMariadbGtidList(event, "crc32");
            checkState(state);
            return state.size > 1;
          },
          MalformedEventError,
          MalformedGtidSetError,
        ),
      ].join(" | ");
    },
  },
];
