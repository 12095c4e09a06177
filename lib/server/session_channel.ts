import { abortable } from "../connection/abortable.ts";
import { Deadline } from "../connection/deadline.ts";
import { PacketLink } from "../connection/packet_link.ts";
import type { PacketReader } from "../connection/packet_reader.ts";
import type { PacketWriter } from "../connection/packet_writer.ts";
import {
  type CompressedTransport,
  compressedTransport,
} from "../connection/compressed_transport.ts";
import type { Compressor } from "../connection/compressor.ts";
import type { Transport } from "../connection/transport.ts";
import { ByteWriter } from "../protocol/byte_writer.ts";
import type { Compression } from "../protocol/compression.ts";
import { PACKET_HEADER_BYTES } from "../protocol/packet.ts";
import { writePackets } from "../protocol/packet_encoder.ts";
import type { PayloadMemory } from "../protocol/payload_memory.ts";

/** A transport whose sending direction can be closed by itself. */
export interface SessionTransport extends Transport {
  closeWrite(): Promise<void>;
}

/** Limits of a channel. */
export interface ChannelOptions {
  /** Largest payload to accept, in bytes. */
  readonly maxPayloadBytes: number;
  /** How long the client may take to accept a reply. */
  readonly writeTimeoutMs: number;
  /** How long a packet that the client has begun may take to be complete. */
  readonly unfinishedTimeoutMs?: number | undefined;
  /** Where memory for incomplete payloads comes from; without a limit if absent. */
  readonly memory?: PayloadMemory | undefined;
}

/** How long the last packet may take to reach a client that still sends. */
const LINGER_MS = 1000;
/** How much such a client may send meanwhile. */
const LINGER_BYTES_MAX = 32 * 1024 * 1024;

/**
 * The accepting side's end of a connection: payloads come in, replies go out,
 * and the sequence ids are kept here.
 *
 * ```text
 * login   : greeting(0) response(1) reply(2) …   both sides count on
 * command : command(0) reply(1) reply(2) …       each command begins at 0
 * ```
 */
export class SessionChannel {
  /** Address of the client, "ip:port". */
  readonly remote: string;
  readonly #link: PacketLink<SessionTransport>;
  readonly #writeTimeoutMs: number;
  readonly #memory: PayloadMemory | undefined;
  readonly #unfinishedTimeoutMs: number | undefined;
  #nextSequenceId = 0;
  #compressed: CompressedTransport<SessionTransport> | undefined;
  #closed = false;

  constructor(transport: SessionTransport, options: ChannelOptions) {
    this.#writeTimeoutMs = options.writeTimeoutMs;
    this.#memory = options.memory;
    this.#unfinishedTimeoutMs = options.unfinishedTimeoutMs;
    this.remote = transport.remote;
    this.#link = new PacketLink(transport, options);
  }

  /** Reads from the client; another one after {@linkcode replace}. */
  get reader(): PacketReader {
    return this.#link.reader;
  }

  /** Writes to the client; another one after {@linkcode replace}. */
  get writer(): PacketWriter {
    return this.#link.writer;
  }

  /** Address of the client without its port. */
  get host(): string {
    return this.remote.slice(0, this.remote.lastIndexOf(":"))
      .replace(/^\[(.*)\]$/, "$1");
  }

  /** Sequence id of the next packet to be sent. */
  get nextSequenceId(): number {
    return this.#nextSequenceId;
  }

  set nextSequenceId(sequenceId: number) {
    this.#nextSequenceId = sequenceId & 0xff;
  }

  /**
   * The client's next payload in the sequence under way; null if it has closed
   * the connection.
   *
   * @throws {ProtocolError} {ConnectionError} as `PacketReader.read`
   */
  async read(signal: AbortSignal): Promise<Uint8Array | null> {
    this.reader.expectSequence(this.#nextSequenceId);
    try {
      const packet = await this.reader.read({
        signal,
        unfinishedTimeoutMs: this.#unfinishedTimeoutMs,
      });
      if (packet === null) return null;
      this.nextSequenceId = packet.sequenceId + 1;
      return packet.payload;
    } catch (error) {
      // The answer to what never came whole follows the part it was refused at.
      this.nextSequenceId = this.reader.expectedSequenceId + 1;
      throw error;
    }
  }

  /** The next command's payload; null if the client has closed the connection. */
  async readCommand(signal: AbortSignal): Promise<Uint8Array | null> {
    this.nextSequenceId = 0;
    try {
      return await this.read(signal);
    } finally {
      // What was wrong with it is an answer, too.
      this.#compressed?.beginAnswer();
    }
  }

  /**
   * Sends payloads, each as a packet, in one write.
   *
   * @throws {ConnectionError} `timeout` if the client does not take them in time
   */
  async send(...payloads: readonly Uint8Array[]): Promise<void> {
    const bytes = new ByteWriter();
    let id = this.#nextSequenceId;
    for (const payload of payloads) id = writePackets(bytes, payload, id);
    await this.sendRaw(bytes.finish());
    this.nextSequenceId = id;
  }

  /**
   * Puts a layer such as TLS over the transport, between two packets: what was
   * read and not decoded yet belongs to the layer. Sequence ids and limits go
   * on.
   *
   * @throws {ConnectionError} `closed` if the channel was closed meanwhile
   * @throws whatever `wrap` does; the channel can then only be closed
   */
  replace(
    wrap: (
      transport: SessionTransport,
    ) => SessionTransport | Promise<SessionTransport>,
  ): Promise<void> {
    return this.#link.replace(wrap);
  }

  /**
   * Goes on compressed, behind the last packet of the login.
   *
   * @param compressor see `CompressedTransportOptions`
   * @throws {ConnectionError} `closed` if the channel was closed meanwhile
   */
  compress(
    compression: Compression,
    compressor: Compressor | undefined,
  ): Promise<void> {
    return this.replace((transport) => {
      const options = {
        compression,
        compressor,
        side: "server",
        contentBytesMax: this.reader.maxPayloadBytes + PACKET_HEADER_BYTES,
        memory: this.#memory,
      } as const;
      this.#compressed = compressedTransport(transport, options);
      return this.#compressed.transport;
    });
  }

  /** Whether the connection is compressed. */
  get compressed(): boolean {
    return this.#compressed !== undefined;
  }

  /** The compressed packet sent next has this id; nothing without compression. */
  restartCompressed(sequenceId: number): void {
    this.#compressed?.restart(sequenceId);
  }

  /** Sends framed packets that end an answer. */
  async sendRaw(bytes: Uint8Array): Promise<void> {
    using deadline = new Deadline(this.#writeTimeoutMs, "sending a reply");
    await this.writer.writeRaw(bytes, { signal: deadline.signal });
  }

  /**
   * Closes so that the client still gets what was sent last: a socket that is
   * closed with unread input in it would be reset, and take the ERR packet with
   * it that explains why. Never throws.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    try {
      using deadline = new Deadline(LINGER_MS, "closing");
      // TLS has a last word, which a client may not take.
      await abortable(this.#link.transport.closeWrite(), deadline.signal);
      let received = 0;
      while (received < LINGER_BYTES_MAX) {
        const chunk = await this.reader.readChunk({ signal: deadline.signal });
        if (chunk === null) break;
        received += chunk.length;
      }
    } catch {
      // It is closed below whatever state it is in.
    }
    await this.cut();
  }

  /** Closes at once, whatever is under way. Never throws. */
  async cut(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#link.close();
    } catch {
      // A socket in whatever state: there is nothing else to do with it.
    }
    await Promise.all([this.reader.cancel(), this.writer.abort()]);
  }
}
