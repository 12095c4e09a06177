// Clients that mean harm, in a process of their own, against a server that
// replicas dump from: how fast these are with and without them.

import { assert, assertEquals } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { HEADER_BYTES } from "../../../lib/binlog/event_header.ts";
import { silentLog } from "../../../lib/log/log.ts";
import { encodeBinlogDump } from "../../../lib/protocol/command.ts";
import { BinlogServer } from "../../../lib/server/binlog_server.ts";
import { LogDumpHandler } from "../../../lib/server/dump.ts";
import type { ServerTls } from "../../../lib/server/server_tls.ts";
import type { Credentials } from "../../../lib/tls/credentials.ts";
import { makeCertificate } from "../../../lib/tls/make_certificate.ts";
import { ClientConnection } from "../../../lib/connection/client_connection.ts";
import { REPLICATION } from "../../../scripts/bench/bench_source.ts";
import { runBenchProgram } from "../../../scripts/bench/bench_process.ts";
import {
  HOSTILE_KINDS,
  type HostileInput,
  type HostileKind,
  type HostileResult,
} from "../../../scripts/bench/hostile_attack.ts";
import { MadeStore } from "../../../scripts/bench/made_store.ts";
import { percentile } from "../../../scripts/bench/sample.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { collectGarbage } from "../../support/collect_garbage.ts";
import { DumpClient } from "../../support/dump_client.ts";

const FIRST_FILE = "binlog.000001";
const FILE_BYTES = 20e6;
const CLIENTS = 24;
const SECONDS = 2;
/** Much less than is measured: other tests and the attack have the same cores. */
const RATE_RATIO_MIN = 0.05;
const LATENCY_MS_MAX = 2000;
/** What may be left of it all: the log's cache, and garbage. */
const GROWTH_BYTES_MAX = 64 * 1024 * 1024;
/** So that each attack is one. */
const ATTEMPTS_MIN: Readonly<Record<HostileKind, number>> = {
  "connections": 100,
  "silent": CLIENTS,
  "slow-login": CLIENTS,
  "wrong-password": 100,
  "tls-wrong-password": 20,
  "never-read": 100,
  "unfinished": 10,
  "statements": 100,
  "dumps": 10,
  "malformed-dumps": 10,
  "large-dumps": 1,
};

/** TLS for whoever asks for it. */
async function serverTls(): Promise<ServerTls> {
  const { authorityPem, certificatePem, keyPem } = await makeCertificate({
    name: "kingbus",
    hosts: ["127.0.0.1"],
    nowMs: Date.now(),
  });
  const credentials: Credentials = {
    certificatePem,
    keyPem,
    certificate: new X509Certificate(certificatePem),
    caPem: authorityPem,
    authorities: [new X509Certificate(authorityPem)],
  };
  return {
    required: false,
    clientCertificate: "ignored",
    files: {},
    credentials: () => credentials,
  };
}

/** A server of a made log, with a replica at its end. */
class Target implements AsyncDisposable {
  readonly made: MadeStore;
  readonly server: BinlogServer;
  readonly port: number;
  readonly #folder: string;
  readonly #tail: DumpClient;
  #eventBytes = 1000;

  private constructor(
    parts: Pick<Target, "made" | "server" | "port">,
    folder: string,
    tail: DumpClient,
  ) {
    this.made = parts.made;
    this.server = parts.server;
    this.port = parts.port;
    this.#folder = folder;
    this.#tail = tail;
  }

  static async start(): Promise<Target> {
    const folder = await Deno.makeTempDir({ prefix: "kingbus-hostile-" });
    const made = await MadeStore.open(folder);
    await made.fillFile(FILE_BYTES);
    made.startFile();
    await made.store.writer.flush();
    const server = new BinlogServer({
      store: made.store,
      dumpHandler: new LogDumpHandler(made.store),
      log: silentLog(),
    });
    await server.start({
      tls: await serverTls(),
      hostname: "127.0.0.1",
      port: 0,
      accounts: [{ name: REPLICATION.user, password: REPLICATION.password }],
      identity: "own",
      connectionsMax: 200,
      loginTimeoutMs: 10_000,
      drainTimeoutMs: 2000,
    });
    const { listen } = server.status();
    const port = Number(listen.slice(listen.lastIndexOf(":") + 1));
    const tail = await DumpClient.open({ port }, {
      flags: 0,
      serverId: 99,
      fileName: made.store.head!.fileName,
      checksum: "NONE",
    });
    return new Target({ made, server, port }, folder, tail);
  }

  /** 10^6 bytes a second that a client gets of the first file. */
  async rate(): Promise<number> {
    await using client = await this.connect();
    await client.query("SET @master_binlog_checksum = 'NONE'");
    const begin = performance.now();
    await client.sendCommand(encodeBinlogDump({
      position: 4,
      flags: 1,
      serverId: 0,
      fileName: FIRST_FILE,
    }));
    let bytes = 0;
    while (bytes < FILE_BYTES) {
      const chunk = await client.reader.readChunk({
        signal: AbortSignal.timeout(60_000),
      });
      assert(chunk !== null, `the dump ended after ${bytes} bytes`);
      bytes += chunk.length;
    }
    const seconds = (performance.now() - begin) / 1000;
    client.close();
    return bytes / 1e6 / seconds;
  }

  /** Until the replica at the end has what was just written, in ms. */
  async latency(): Promise<number> {
    const begin = performance.now();
    // no two are of the same size
    const bytes = ++this.#eventBytes;
    this.made.append(1, bytes);
    await this.made.store.writer.flush();
    for (;;) {
      const event = await this.#tail.next();
      assert(event !== null, "the dump of the replica goes on");
      if (event.length === HEADER_BYTES + bytes) break;
    }
    return performance.now() - begin;
  }

  connect(): Promise<ClientConnection> {
    const { port } = this;
    return ClientConnection.connect({
      hostname: "127.0.0.1",
      port,
      ...REPLICATION,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tail.close();
    await this.server.stop();
    await this.made[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** Waits until only the replica at the end of the log is connected. */
async function alone(target: Target): Promise<void> {
  await waitUntil(
    "all other sessions had ended",
    () => target.server.status().connections === 1,
  );
}

function inMemory(): number {
  collectGarbage();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

/** What replicas get while something lasts, in the median. */
async function measure(
  target: Target,
  goesOn: () => boolean,
): Promise<{ rate: number; latencyMs: number }> {
  const rates: number[] = [];
  const latencies: number[] = [];
  do {
    rates.push(await target.rate());
    latencies.push(await target.latency());
  } while (goesOn());
  return {
    rate: percentile(rates, 50),
    latencyMs: percentile(latencies, 50),
  };
}

for (const kind of HOSTILE_KINDS) {
  Deno.test(`replicas go on while clients attack by ${kind}, and nothing is left of it`, async () => {
    await using target = await Target.start();
    let runs = 0;
    const quiet = await measure(target, () => ++runs < 5);
    await alone(target);
    const before = inMemory();
    const input: HostileInput = {
      ...REPLICATION,
      port: target.port,
      kind,
      clients: CLIENTS,
      seconds: SECONDS,
      fileName: FIRST_FILE,
    };
    let over = false;
    const attack = runBenchProgram<HostileResult>("hostile_clients.ts", input)
      .finally(() => over = true);
    await waitUntil(
      "the attack had begun",
      () => over || target.server.status().connections > 1,
      { intervalMs: 1 },
    );
    const attacked = await measure(target, () => !over);
    const { attempts } = await attack;
    assert(attempts >= ATTEMPTS_MIN[kind], `${attempts} attempts`);
    const ratio = attacked.rate / quiet.rate;
    console.log(
      `${kind}: ${quiet.rate.toFixed(0)} MB/s, ${
        attacked.rate.toFixed(0)
      } under attack; ${quiet.latencyMs.toFixed(1)} ms, ${
        attacked.latencyMs.toFixed(1)
      }; ${attempts} attempts`,
    );
    assert(ratio >= RATE_RATIO_MIN, `${ratio} of the rate is left`);
    assert(attacked.latencyMs < LATENCY_MS_MAX, `${attacked.latencyMs} ms`);
    // All of them are gone, and so is what they took.
    await alone(target);
    await waitUntil(
      "what they left was collected",
      () => inMemory() - before < GROWTH_BYTES_MAX,
    );
    await using late = await target.connect();
    assertEquals((await late.query("SELECT 1")).rows, [["1"]]);
  });
}
