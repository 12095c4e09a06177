import type { PacketDecoderOptions } from "../protocol/packet_decoder.ts";
import { ConnectionError } from "./connection_error.ts";
import { PacketReader } from "./packet_reader.ts";
import { PacketWriter } from "./packet_writer.ts";
import type { Transport } from "./transport.ts";

/**
 * A transport with the packet reader and writer over it, whose transport can be
 * replaced by a layer over it (TLS, compression) between two packets. Whoever
 * keeps `reader` or `writer` over a replacement keeps dead ones.
 */
export class PacketLink<Link extends Transport = Transport> {
  #options: PacketDecoderOptions;
  #transport: Link;
  #reader: PacketReader;
  #writer: PacketWriter;
  #closed = false;

  /** Locks both streams of `transport`, which it owns from now on. */
  constructor(transport: Link, options: PacketDecoderOptions) {
    this.#options = options;
    this.#transport = transport;
    this.#reader = new PacketReader(transport.readable, options);
    this.#writer = new PacketWriter(transport.writable);
  }

  /** What is read from and written to. */
  get transport(): Link {
    return this.#transport;
  }

  /** Reads from the transport of now. */
  get reader(): PacketReader {
    return this.#reader;
  }

  /** Writes to the transport of now. */
  get writer(): PacketWriter {
    return this.#writer;
  }

  /**
   * Puts a layer over the transport: `wrap` gets the transport as it is, with
   * whatever was read and not decoded yet as the first bytes of `readable`, and
   * answers the one that packets go over from then on. No read or write may be
   * under way. Limits stay as they are, but for `changes`; sequence ids are the
   * owner's to carry on.
   *
   * @throws {ConnectionError} `closed` if it was closed meanwhile
   * @throws whatever `wrap` does; the link can then only be closed
   */
  async replace(
    wrap: (transport: Link) => Link | Promise<Link>,
    changes: Partial<PacketDecoderOptions> = {},
  ): Promise<void> {
    const { maxPayloadBytes } = this.#reader;
    const layer = await wrap({
      ...this.#transport,
      readable: this.#reader.takeStream(),
      writable: this.#writer.takeStream(),
    });
    if (this.#closed) {
      layer.close();
      throw new ConnectionError("closed", "Connection closed by us");
    }
    this.#transport = layer;
    this.#options = { ...this.#options, maxPayloadBytes, ...changes };
    this.#reader = new PacketReader(layer.readable, this.#options);
    this.#writer = new PacketWriter(layer.writable);
  }

  /** Closes both directions at once; does nothing the second time. */
  close(): void {
    this.#closed = true;
    this.#transport.close();
  }
}
