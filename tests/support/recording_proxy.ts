import { joinBytes, type SeenPacket } from "./dump_packets.ts";
import { type ProxySide, TcpProxy } from "./tcp_proxy.ts";
import type { ServerAddress } from "./test_kingbus.ts";

/** A payload that takes more than one packet is in packets of this length. */
const FULL_PACKET_BYTES = 0xff_ffff;

/** A packet that went through a proxy; payloads in parts are joined. */
export interface RecordedPacket extends SeenPacket {
  readonly from: ProxySide;
}

/** Cuts what one side sends into packets. */
class PacketSplitter {
  #rest = new Uint8Array();
  #parts: Uint8Array[] = [];

  /** The packets that these bytes complete; the sequence id is the last part's. */
  push(bytes: Uint8Array): SeenPacket[] {
    const data = this.#rest.length === 0
      ? bytes.slice()
      : joinBytes([this.#rest, bytes]);
    const packets: SeenPacket[] = [];
    let at = 0;
    while (data.length - at >= 4) {
      const length = data[at]! | data[at + 1]! << 8 | data[at + 2]! << 16;
      if (data.length - at - 4 < length) break;
      const sequenceId = data[at + 3]!;
      this.#parts.push(data.slice(at + 4, at + 4 + length));
      at += 4 + length;
      if (length === FULL_PACKET_BYTES) continue;
      packets.push({ sequenceId, payload: joinBytes(this.#parts) });
      this.#parts = [];
    }
    this.#rest = data.slice(at);
    return packets;
  }
}

/** What went over one connection, in the order in which it passed. */
export class RecordedConnection {
  readonly packets: RecordedPacket[] = [];
  readonly #splitters = {
    client: new PacketSplitter(),
    server: new PacketSplitter(),
  };

  /** Takes bytes of one side. */
  record(from: ProxySide, bytes: Uint8Array): void {
    for (const packet of this.#splitters[from].push(bytes)) {
      this.packets.push({ from, ...packet });
    }
  }
}

/** A proxy that keeps all that passes, packet by packet; for plain connections. */
export class RecordingProxy implements AsyncDisposable {
  readonly #proxy: TcpProxy;
  /** All connections so far, oldest first. */
  readonly connections: RecordedConnection[] = [];

  /** Begins to listen for connections to `target`. */
  constructor(target: ServerAddress) {
    this.#proxy = new TcpProxy(target, (connection, from, bytes) => {
      this.connections[connection] ??= new RecordedConnection();
      this.connections[connection].record(from, bytes);
    });
  }

  /** Port it listens on. */
  get port(): number {
    return this.#proxy.port;
  }

  /** Connections that are open. */
  get open(): number {
    return this.#proxy.open;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#proxy[Symbol.asyncDispose]();
  }
}
