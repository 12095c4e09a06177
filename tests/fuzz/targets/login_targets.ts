import {
  AuthPacket,
  decodeAuthMoreData,
  decodeAuthSwitch,
  encodeAuthMoreData,
  encodeAuthSwitch,
} from "../../../lib/protocol/auth_packet.ts";
import { ClientAuth } from "../../../lib/protocol/client_auth.ts";
import {
  decodeHandshakeResponse,
  decodeHandshakeV10,
  encodeHandshakeResponse,
  encodeHandshakeV10,
  isSslRequest,
} from "../../../lib/protocol/handshake.ts";
import { commonCapabilities } from "../../../lib/protocol/capability.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { encodeErr, encodeOk } from "../../../lib/protocol/response.ts";
import {
  accountFromPassword,
  SERVER_CAPABILITIES,
  ServerAuth,
} from "../../../lib/protocol/server_auth.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import {
  GREETINGS,
  MARIADB_BINLOG,
  MARIADB_REPLICA,
  MYSQL56_REPLICA,
  MYSQL97_REPLICA,
  NATIVE_TOKEN,
  SCRAMBLE,
} from "../../support/captured_login.ts";
import { hex } from "../../support/byte_table.ts";
import { FuzzInput, joinRuns, withChoices } from "../fuzz_input.ts";
import { type FuzzTarget, outcomeOf, require } from "../fuzz_target.ts";

const RESPONSES = [
  MYSQL97_REPLICA,
  MYSQL56_REPLICA,
  MARIADB_REPLICA,
  MARIADB_BINLOG,
];
const SERVER_GREETINGS = [
  GREETINGS.mysql97,
  GREETINGS.mysql56,
  GREETINGS.mariadb,
];
const ALL_CAPABILITIES = 0xffff_ffff;
/** Rounds of a login; a peer that wants more is to be refused before. */
const ROUNDS_MAX = 12;
const PASSWORD = "pw";
const SHA1_ONLY = {
  name: "old",
  doubleSha1: accountFromPassword("old", PASSWORD).doubleSha1,
};
const BOTH = accountFromPassword("both", PASSWORD);

const AUTH_SWITCH = encodeAuthSwitch({
  plugin: "mysql_native_password",
  scramble: SCRAMBLE,
});
const FAST = encodeAuthMoreData(Uint8Array.of(3));
const FULL = encodeAuthMoreData(Uint8Array.of(4));
const REFUSED = encodeErr({
  code: 1045,
  sqlState: "28000",
  message: "Access denied",
});

function same(one: unknown, other: unknown, what: string): void {
  require(printed(one) === printed(other), what);
}

function printed(value: unknown): string {
  return JSON.stringify(value, (_, field) => {
    if (field instanceof Map) return [...field];
    if (field instanceof Uint8Array) return hex(field);
    if (typeof field === "bigint") return `${field}`;
    return field;
  });
}

/** Both sides of a login, packet by packet and as a whole. */
export const LOGIN_TARGETS: readonly FuzzTarget[] = [
  {
    name: "greeting",
    corpus: SERVER_GREETINGS,
    run: (bytes) =>
      outcomeOf(() => {
        const greeting = decodeHandshakeV10(bytes);
        if (!greeting.scramble.includes(0)) {
          const again = decodeHandshakeV10(encodeHandshakeV10(greeting));
          same(again.scramble, greeting.scramble, "the scramble survives");
          require(
            again.connectionId === greeting.connectionId,
            "the id survives",
          );
        }
        return greeting;
      }, ProtocolError),
  },
  {
    name: "handshake-response",
    corpus: RESPONSES.map((bytes) => withChoices([0], bytes)),
    run(bytes) {
      const input = new FuzzInput(bytes);
      const offered = input.flag() ? ALL_CAPABILITIES : SERVER_CAPABILITIES;
      const payload = input.rest();
      isSslRequest(payload);
      return outcomeOf(() => {
        const response = decodeHandshakeResponse(payload, offered);
        const capabilities = commonCapabilities(response.capabilities, offered);
        const fits = response.authResponse.length < 251;
        if (!fits || /\0/.test(response.authPlugin ?? "")) return response;
        const again = decodeHandshakeResponse(
          encodeHandshakeResponse({ ...response, capabilities }),
          offered,
        );
        same(
          [again.user, again.authResponse, again.attributes],
          [response.user, response.authResponse, response.attributes],
          "decode(encode(x)) is x",
        );
        return response;
      }, ProtocolError);
    },
  },
  {
    name: "auth-packets",
    corpus: [AUTH_SWITCH, FAST, FULL, Uint8Array.of(0xfe)],
    run: (bytes) =>
      [
        outcomeOf(() => {
          const decoded = decodeAuthSwitch(bytes);
          same(
            decodeAuthSwitch(encodeAuthSwitch(decoded)).plugin,
            decoded.plugin,
            "the plugin survives",
          );
          return decoded;
        }, ProtocolError),
        outcomeOf(() => {
          const data = decodeAuthMoreData(bytes);
          if (bytes.length === 0) return data;
          bytes[0] = AuthPacket.MORE_DATA;
          same(encodeAuthMoreData(data), bytes, "encode(decode(x)) is x");
          return data;
        }, ProtocolError),
      ].join(" | "),
  },
  {
    name: "server-auth",
    corpus: [
      withChoices([0], joinRuns([MYSQL97_REPLICA])),
      withChoices([1], joinRuns([MYSQL97_REPLICA, NATIVE_TOKEN])),
      withChoices([0], joinRuns([MYSQL56_REPLICA, NATIVE_TOKEN])),
      withChoices([2], joinRuns([MARIADB_BINLOG, Uint8Array.of(2)])),
      withChoices(
        [3],
        joinRuns([MYSQL97_REPLICA, new TextEncoder().encode("pw\0")]),
      ),
    ],
    run(bytes) {
      const input = new FuzzInput(bytes);
      const choices = input.byte();
      const account = (choices & 1) === 0 ? BOTH : SHA1_ONLY;
      const auth = new ServerAuth({
        lookup: (user) => user === "both" ? account : undefined,
        host: "192.0.2.9",
        secure: (choices & 2) !== 0,
      });
      auth.greeting({
        connectionId: 1,
        serverVersion: "9.7.4",
        scramble: SCRAMBLE,
      });
      const steps: string[] = [];
      const outcome = outcomeOf(() => {
        for (const payload of input.runs(ROUNDS_MAX)) {
          const step = auth.next(payload);
          steps.push(Object.keys(step).join());
          if (!("send" in step)) return step;
        }
        require(steps.length < 5, "a login does not go on for ever");
        return "";
      }, ProtocolError);
      return `${steps.join()} ${outcome}`;
    },
  },
  {
    name: "client-auth",
    corpus: [
      joinRuns([GREETINGS.mysql97, FAST, encodeOk()]),
      joinRuns([GREETINGS.mysql97, FULL, encodeAuthMoreData(SCRAMBLE)]),
      joinRuns([GREETINGS.mysql56, encodeOk()]),
      joinRuns([GREETINGS.mariadb, AUTH_SWITCH, encodeOk()]),
      joinRuns([GREETINGS.mysql56, REFUSED]),
    ],
    run(bytes) {
      const [greeting, ...payloads] = new FuzzInput(bytes).runs(ROUNDS_MAX);
      const auth = new ClientAuth();
      const steps: string[] = [];
      const outcome = outcomeOf(
        () => {
          auth.start(decodeHandshakeV10(greeting ?? new Uint8Array(0)), {
            user: "u",
            password: "p",
            secure: (bytes.length & 1) === 0,
          });
          for (const payload of payloads) {
            const step = auth.next(payload);
            steps.push(Object.keys(step).join());
            if ("done" in step) break;
          }
          return "";
        },
        ProtocolError,
        ServerError,
      );
      return `${steps.join()} ${outcome}`;
    },
  },
];
