import type { Transport } from "../../lib/connection/transport.ts";

/** How many chunks a direction holds before its writer has to wait. */
const CHUNKS_MAX = 64;

/** Two transports, each the other's peer, without a network. */
export interface MemoryTransportPair {
  readonly client: Transport;
  readonly server: Transport;
  /** Breaks both directions off as a network does. */
  cut(): void;
}

/** Makes a connection in memory; closing an end behaves as with TCP. */
export function memoryTransportPair(): MemoryTransportPair {
  const toServer = new Direction();
  const toClient = new Direction();
  return {
    client: transport(toClient, toServer, "192.0.2.1:3306"),
    server: transport(toServer, toClient, "192.0.2.2:50000"),
    cut(): void {
      toServer.fail(new Deno.errors.ConnectionReset("cut"));
      toClient.fail(new Deno.errors.ConnectionReset("cut"));
    },
  };
}

function transport(
  incoming: Direction,
  outgoing: Direction,
  remote: string,
): Transport {
  return {
    readable: incoming.readable,
    writable: outgoing.writable,
    remote,
    close(): void {
      outgoing.end();
      incoming.fail(new Deno.errors.Interrupted("closed"));
    },
  };
}

class Direction {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  #controller!: TransformStreamDefaultController<Uint8Array>;
  #over = false;

  constructor() {
    const stream = new TransformStream<Uint8Array, Uint8Array>(
      { start: (controller) => void (this.#controller = controller) },
      undefined,
      new CountQueuingStrategy({ highWaterMark: CHUNKS_MAX }),
    );
    this.readable = stream.readable;
    this.writable = stream.writable;
  }

  /** What was written can still be read; then the stream ends. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller.terminate();
  }

  fail(cause: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller.error(cause);
  }
}
