import type { CompressedPacket } from "../protocol/compressed_packet.ts";
import { CompressedPacketDecoder } from "../protocol/compressed_packet_decoder.ts";
import type { Compression } from "../protocol/compression.ts";
import { HeldPayload, type PayloadMemory } from "../protocol/payload_memory.ts";
import { packContent } from "../protocol/pack_content.ts";
import { decompressPacket } from "../protocol/decompress_packet.ts";
import type { Compressor } from "./compressor.ts";
import { ConnectionError } from "./connection_error.ts";
import type { Transport } from "./transport.ts";

/** What a connection is compressed with, and which end of it this is. */
export interface CompressedTransportOptions {
  readonly compression: Compression;
  readonly side: "client" | "server";
  /** Most that a packet may hold, and have; what the protocol allows if absent. */
  readonly contentBytesMax?: number | undefined;
  /**
   * Where memory comes from for packets that have not all arrived, and for what
   * they hold until it is used up; without a limit if absent.
   */
  readonly memory?: PayloadMemory | undefined;
  /** Compresses large pieces; they are compressed on the spot when absent. */
  readonly compressor?: Compressor | undefined;
}

/**
 * A transport that compresses, and how its own packets are counted. Towards a
 * server that goes by itself: each write is a command, and begins at 0.
 */
export interface CompressedTransport<Link extends Transport> {
  readonly transport: Link;
  /** What is written next answers the command that was read last. */
  beginAnswer(): void;
  /** The packet that is written next has this id. */
  restart(sequenceId: number): void;
}

/**
 * Most that one packet is made of: more compresses hardly better, and holds
 * everything else up.
 */
const CONTENT_BYTES_MAX = 128 * 1024;

/**
 * So many packets of a large write may be on their way when the next is taken:
 * they are compressed while the ones before go out.
 */
const PACKETS_AHEAD_MAX = 3;

/**
 * The compressed protocol over a transport, from behind the last packet of the
 * login on. Each write becomes packets of its own, so that what was written is
 * with the peer. Reading fails with a `ProtocolError` for bytes that are no such
 * packets, and with a `ConnectionError` (`truncated`) where they end inside one.
 */
export function compressedTransport<Link extends Transport>(
  transport: Link,
  options: CompressedTransportOptions,
): CompressedTransport<Link> {
  const decoder = new CompressedPacketDecoder(options.contentBytesMax);
  const held = new HeldPayload(options.memory);
  let nextId = 0;
  const reader = transport.readable.getReader();
  const { algorithm } = options.compression;

  /** What the next packet holds; null at the end of the stream. */
  const read = async (): Promise<Uint8Array | null> => {
    for (;;) {
      // Whoever asks for more has used up what there was.
      const packet = decoder.next();
      held.set(packet === undefined ? decoder.buffered : contentBytes(packet));
      if (packet !== undefined) {
        const bytes = decompressPacket(packet, algorithm);
        if (bytes.length > 0) return bytes;
        continue;
      }
      const { value } = await reader.read();
      if (value !== undefined) {
        decoder.feed(value);
        continue;
      }
      if (decoder.buffered === 0) return null;
      throw new ConnectionError(
        "truncated",
        `Connection closed inside a compressed packet, after ${decoder.buffered} bytes of it`,
      );
    }
  };
  // Nothing is read ahead: a single packet can hold 16 MiB.
  const readable = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const bytes = await read();
      if (bytes === null) controller.close();
      else controller.enqueue(bytes);
    },
    cancel: (reason) => {
      held.set(0);
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });

  const writer = transport.writable.getWriter();
  // Each write reports its own failure; this one would come on top.
  writer.closed.catch(() => {});
  /** Packets on their way, in order. */
  const sending: Promise<void>[] = [];
  const sendUntil = async (packetsLeft: number): Promise<void> => {
    while (sending.length > packetsLeft) await sending.shift();
  };
  const send = (content: Uint8Array): void => {
    const packet = pack(content, nextId, options);
    nextId = (nextId + 1) & 0xff;
    const before = sending.at(-1);
    const sent = (async () => {
      const bytes = packet instanceof Promise ? await packet : packet;
      await before;
      await writer.write(bytes);
    })();
    // Whoever writes next is told.
    sent.catch(() => {});
    sending.push(sent);
  };
  const writable = new WritableStream<Uint8Array>({
    write: async (bytes) => {
      if (options.side === "client") {
        nextId = 0;
        const packets = Math.ceil(bytes.length / CONTENT_BYTES_MAX);
        decoder.restartIds = [0, packets & 0xff];
      }
      for (let at = 0; at < bytes.length; at += CONTENT_BYTES_MAX) {
        send(bytes.subarray(at, at + CONTENT_BYTES_MAX));
        await sendUntil(PACKETS_AHEAD_MAX);
      }
      // What is large is followed by more, or by a small last word.
      if (bytes.length < CONTENT_BYTES_MAX) await sendUntil(0);
    },
    close: async () => {
      await sendUntil(0);
      await writer.close();
    },
    abort: (reason) => writer.abort(reason),
  });
  return {
    transport: { ...transport, readable, writable },
    beginAnswer: () => nextId = (decoder.lastId + 1) & 0xff,
    restart: (sequenceId) => nextId = sequenceId,
  };
}

/** What a packet says it is once it is decompressed; more is refused. */
function contentBytes({ announcedBytes, payload }: CompressedPacket): number {
  return Math.max(announcedBytes, payload.length);
}

/** Makes a packet; the content may change again once this has returned. */
function pack(
  content: Uint8Array,
  sequenceId: number,
  { compression, compressor }: CompressedTransportOptions,
): Promise<Uint8Array> | Uint8Array {
  return compressor === undefined
    ? packContent(content, sequenceId, compression)
    : compressor.pack(content, sequenceId, compression);
}
