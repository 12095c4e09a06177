import { ClientConnection } from "../../../lib/connection/client_connection.ts";
import { ConnectionError } from "../../../lib/connection/connection_error.ts";
import type { Transport } from "../../../lib/connection/transport.ts";
import { silentLog } from "../../../lib/log/log.ts";
import {
  Command,
  encodeBinlogDump,
  encodeBinlogDumpGtid,
  encodeCommand,
  encodeQuery,
  encodeRegisterReplica,
} from "../../../lib/protocol/command.ts";
import { encodePackets } from "../../../lib/protocol/packet_encoder.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { encodeEof, encodeOk } from "../../../lib/protocol/response.ts";
import { encodeAuthMoreData } from "../../../lib/protocol/auth_packet.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { LogDumpHandler } from "../../../lib/server/dump.ts";
import { RefusalLog } from "../../../lib/server/refusal_log.ts";
import { ServerRun } from "../../../lib/server/server_run.ts";
import { ServiceCounters } from "../../../lib/server/service_counters.ts";
import type { BinlogStore } from "../../../lib/store/binlog_store.ts";
import { loadBinlogFixture } from "../../support/binlog_fixture.ts";
import { GREETINGS, MYSQL97_REPLICA } from "../../support/captured_login.ts";
import { joinBytes, splitPackets } from "../../support/dump_packets.ts";
import { logFromFixtures } from "../../support/log_from_fixtures.ts";
import { memoryTransportPair } from "../../support/memory_transport.ts";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import { FuzzInput, joinRuns, withChoices } from "../fuzz_input.ts";
import { type FuzzTarget, refusal, require, wordsOf } from "../fuzz_target.ts";
import { SOME_SET } from "./command_targets.ts";

const UUID = "d63952fd-e6f6-11f1-a979-02fc00000001";
/** Packets a session is sent, at most. */
const COMMANDS_MAX = 12;

/** The bytes that `scrambleFromRandom` makes 1, 2, 3 … 20 of. */
const SCRAMBLE_SEED = Uint8Array.from(
  { length: 20 },
  (_, index) => Math.ceil(index * 256 / 126),
);

/** A connection as the accept loop gets it from a listener. */
interface Accepted extends Pick<Transport, "writable" | "close"> {
  read(buffer: Uint8Array): Promise<number | null>;
  readonly remoteAddr: Deno.NetAddr;
  closeWrite(): Promise<void>;
  setNoDelay(): void;
  setKeepAlive(): void;
}

/** A listener that is handed its connections. */
class HandedListener {
  readonly addr = { transport: "tcp", hostname: "127.0.0.1", port: 3390 };
  #waiting = Promise.withResolvers<Accepted>();

  hand(connection: Accepted): void {
    this.#waiting.resolve(connection);
    this.#waiting = Promise.withResolvers();
  }

  accept(): Promise<Accepted> {
    return this.#waiting.promise;
  }

  close(): void {
    this.#waiting.reject(new Deno.errors.BadResource("closed"));
  }
}

/** kingbus's side of all that replicas may send, without a network. */
class FuzzedServer {
  readonly run: ServerRun;
  readonly #listener = new HandedListener();

  constructor(store: BinlogStore) {
    const log = silentLog();
    this.run = new ServerRun({
      store,
      dumpHandler: new LogDumpHandler(store),
      log,
      environment: {
        nowMs: () => 1_795_408_882_999,
        randomBytes: (length) => SCRAMBLE_SEED.slice(0, length),
        randomUuid: () => UUID,
      },
      service: new ServiceCounters(),
      refusals: new RefusalLog(log, () => 1_795_408_882_999),
      own: { serverId: "77", uuid: UUID },
      listener: this.#listener as unknown as Deno.TcpListener,
    }, {
      hostname: "127.0.0.1",
      port: 0,
      accounts: [{
        name: "both",
        password: "pw",
        rights: ["replicate", "monitor", "admin"],
      }],
      identity: "own",
      connectionsMax: 4,
      loginTimeoutMs: 5000,
      idleTimeoutMs: 5000,
      writeTimeoutMs: 5000,
      drainTimeoutMs: 1000,
    });
  }

  /** Sends such bytes and closes; answers the payloads that come back. */
  async talk(chunks: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const { client, server } = memoryTransportPair();
    const ended = Promise.withResolvers<void>();
    this.#listener.hand({
      read: readerOf(server.readable),
      writable: server.writable,
      remoteAddr: { transport: "tcp", hostname: "192.0.2.2", port: 50_000 },
      setNoDelay() {},
      setKeepAlive() {},
      close: () => {
        server.close();
        ended.resolve();
      },
      closeWrite: () => {
        server.close();
        return Promise.resolve();
      },
    });
    const received: Uint8Array[] = [];
    const read = (async () => {
      try {
        for await (const chunk of client.readable) received.push(chunk);
      } catch {
        // the other side has closed it, in whatever way
      }
    })();
    const writer = client.writable.getWriter();
    writer.closed.catch(() => {});
    try {
      for (const chunk of chunks) await writer.write(chunk);
      await writer.close();
    } catch {
      // the other side has had enough
    }
    await read;
    await ended.promise;
    // the session is let go of right after its connection
    for (let n = 0; n < 20 && this.run.connections > 0; n++) {
      await new Promise<void>((resolve) => queueMicrotask(resolve));
    }
    require(this.run.connections === 0, "no session is left behind");
    return splitPackets(joinBytes(received)).map(({ payload }) => payload);
  }
}

/** Reads as a socket is read: into a buffer, at most as much as fits. */
function readerOf(
  readable: ReadableStream<Uint8Array>,
): (buffer: Uint8Array) => Promise<number | null> {
  const reader = readable.getReader();
  let rest: Uint8Array = new Uint8Array(0);
  return async (buffer) => {
    while (rest.length === 0) {
      const { value, done } = await reader.read();
      if (done) return null;
      rest = value;
    }
    const count = Math.min(buffer.length, rest.length);
    buffer.set(rest.subarray(0, count));
    rest = rest.subarray(count);
    return count;
  };
}

let started: Promise<FuzzedServer> | undefined;

async function start(): Promise<FuzzedServer> {
  const names = ["binlog.000002", "binlog.000003"];
  const store = await logFromFixtures(
    names.map((name) => loadBinlogFixture("mysql97", name)),
    UUID,
  );
  return new FuzzedServer(store);
}

const LOGIN = encodePackets(MYSQL97_REPLICA, 1).bytes;
const NON_BLOCK = 1;

const COMMANDS = [
  encodeQuery("SELECT @@GLOBAL.SERVER_ID"),
  encodeQuery("SET @source_binlog_checksum = 'CRC32', @slave_uuid = 'x'"),
  encodeQuery("SET @master_binlog_checksum = 'NONE'"),
  encodeQuery("SHOW BINLOG EVENTS IN 'binlog.000002' LIMIT 3"),
  encodeQuery("SHOW VARIABLES LIKE '%gtid%'"),
  encodeQuery("KILL 3"),
  encodeCommand(Command.PING),
  encodeCommand(Command.STATISTICS),
  encodeCommand(Command.RESET_CONNECTION),
  Uint8Array.of(Command.INIT_DB, 0x61),
  Uint8Array.of(Command.SET_OPTION, 1, 0),
  encodeRegisterReplica({
    serverId: 7,
    hostName: "replica",
    user: "",
    port: 3306,
    rank: 0,
    sourceId: 0,
  }),
];
const DUMPS = [
  encodeBinlogDump({
    position: 4,
    flags: NON_BLOCK,
    serverId: 7,
    fileName: "binlog.000002",
  }),
  ...[SOME_SET, ""].map((set) =>
    encodeBinlogDumpGtid({
      flags: NON_BLOCK,
      serverId: 7,
      fileName: "",
      position: 4n,
      gtidSetBytes: GtidSet.parse(set).encode(),
    })
  ),
];

const SERVER_ERRORS = [ConnectionError, ProtocolError, ServerError];

/** Whole sessions from either side. */
export const SERVER_TARGETS: readonly FuzzTarget[] = [
  {
    name: "session",
    corpus: [
      ...DUMPS.map((dump, index) =>
        withChoices(
          [1],
          joinRuns([...COMMANDS.slice(0, 3 + index), dump]),
        )
      ),
      ...COMMANDS.map((command) => withChoices([1], joinRuns([command]))),
      withChoices([0], LOGIN),
      withChoices(
        [2],
        joinBytes([LOGIN, encodePackets(COMMANDS[0]!, 0).bytes]),
      ),
    ],
    // a dump has two buffers of 256 KiB
    allocationBytesMax: 1024 * 1024,
    async run(bytes) {
      started ??= start();
      const server = await started;
      const input = new FuzzInput(bytes);
      const mode = input.byte() % 3;
      const chunks = mode === 0 ? [input.rest()] : mode === 1
        ? [
          LOGIN,
          ...input.runs(COMMANDS_MAX).map((run) => encodePackets(run, 0).bytes),
        ]
        : Array.from(input.rest(), (byte) => Uint8Array.of(byte)).slice(0, 600);
      const [greeting, ...answers] = await server.talk(chunks);
      require(greeting?.[0] === 10, "a client is greeted");
      return answers.map((payload) =>
        payload[0] === 0xff
          ? `ERR ${payload[1]! | payload[2]! << 8} ${
            wordsOf(new TextDecoder().decode(payload.subarray(9)))
          }`
          : `${payload[0]}`
      ).slice(0, 20).join();
    },
  },
  {
    name: "client-connection",
    corpus: [
      joinRuns([
        GREETINGS.mysql97,
        encodeAuthMoreData(Uint8Array.of(3)),
        encodeOk(),
        encodeOk(),
      ]),
      joinRuns([GREETINGS.mysql56, encodeOk(), encodeEof()]),
    ],
    async run(bytes) {
      const { client, server } = memoryTransportPair();
      const [greeting, ...replies] = new FuzzInput(bytes).runs(10);
      // the client writes one response, then the server counts on
      const login = [greeting ?? new Uint8Array(0), ...replies.slice(0, 2)];
      const writer = server.writable.getWriter();
      writer.closed.catch(() => {});
      const drained = server.readable.pipeTo(new WritableStream())
        .catch(() => {});
      const send = (async () => {
        let id = 0;
        for (const payload of login) {
          await writer.write(encodePackets(payload, id).bytes);
          id = id === 0 ? 2 : id + 1;
        }
        for (const [index, payload] of replies.slice(2).entries()) {
          await writer.write(encodePackets(payload, 1 + index).bytes);
        }
        await writer.close();
      })().catch(() => {});
      let words = "";
      try {
        const connection = await ClientConnection.open(client, {
          user: "u",
          password: "p",
          maxPayloadBytes: 4096,
        });
        words = "in ";
        const { columns, rows } = await connection.query("SELECT 1");
        words += `${columns.length} ${rows.length}`;
        connection.close();
      } catch (error) {
        words += refusal(error, SERVER_ERRORS);
      }
      client.close();
      server.close();
      await Promise.all([send, drained]);
      return words;
    },
  },
];
