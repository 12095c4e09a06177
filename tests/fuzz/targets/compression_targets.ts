import {
  compressedTransport,
  type CompressedTransportOptions,
} from "../../../lib/connection/compressed_transport.ts";
import { ConnectionError } from "../../../lib/connection/connection_error.ts";
import { compressBytes } from "../../../lib/protocol/compress_bytes.ts";
import { encodeCompressedPacket } from "../../../lib/protocol/compressed_packet.ts";
import { CompressedPacketDecoder } from "../../../lib/protocol/compressed_packet_decoder.ts";
import {
  COMPRESSION_ALGORITHMS,
  type CompressionAlgorithm,
} from "../../../lib/protocol/compression.ts";
import { decompressPacket } from "../../../lib/protocol/decompress_packet.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { hex } from "../../support/byte_table.ts";
import { MYSQL97_REPLICA } from "../../support/captured_login.ts";
import { joinBytes } from "../../support/dump_packets.ts";
import { FuzzInput, withChoices } from "../fuzz_input.ts";
import { type FuzzTarget, refusal, require } from "../fuzz_target.ts";

const CONTENT_BYTES_MAX = 64 * 1024;
/** What is made to be decompressed; a mebibyte in some hundred bytes is a bomb. */
const CONTENTS = [
  MYSQL97_REPLICA,
  Uint8Array.of(1, 0, 0, 0, 14),
  new Uint8Array(60_000),
  new Uint8Array(1024 * 1024),
];

/** A stream of compressed packets, the last one stored. */
function streamOf(
  algorithm: CompressionAlgorithm,
  contents: readonly Uint8Array[],
): Uint8Array {
  return joinBytes(contents.map((content, id) => {
    const compressed = compressBytes(content, { algorithm, level: 3 });
    return compressed === undefined
      ? encodeCompressedPacket(content, id, 0)
      : encodeCompressedPacket(compressed, id, content.length);
  }));
}

/** What comes out of a stream that comes in such pieces. */
function decompressed(
  stream: Uint8Array,
  algorithm: CompressionAlgorithm,
  piece: number,
): { bytes: string; fault: string } {
  const decoder = new CompressedPacketDecoder(CONTENT_BYTES_MAX);
  let bytes = "";
  try {
    for (let at = 0; at < stream.length; at += piece) {
      decoder.feed(stream.slice(at, at + piece));
      for (let packet = decoder.next(); packet; packet = decoder.next()) {
        const content = decompressPacket(packet, algorithm);
        require(
          content.length <= CONTENT_BYTES_MAX,
          `${content.length} bytes came out`,
        );
        bytes += content.length < 2000 ? hex(content) : content.length;
      }
    }
  } catch (error) {
    return { bytes, fault: refusal(error, [ProtocolError]) };
  }
  return { bytes, fault: `${decoder.buffered > 0}` };
}

const TRANSPORT_OPTIONS: Omit<CompressedTransportOptions, "memory"> = {
  compression: { algorithm: "zstd", level: 3 },
  side: "server",
  contentBytesMax: CONTENT_BYTES_MAX,
};

/** Reads a stream through the layer; answers how it ended, and what it held. */
async function through(
  stream: Uint8Array,
  algorithm: CompressionAlgorithm,
): Promise<string> {
  let held = 0;
  let most = 0;
  const memory = {
    take(bytes: number): boolean {
      held += bytes;
      most = Math.max(most, held);
      return true;
    },
    give(bytes: number): void {
      held -= bytes;
    },
  };
  const { transport } = compressedTransport({
    readable: ReadableStream.from([stream.slice(0, 50), stream.slice(50)]),
    writable: new WritableStream<Uint8Array>(),
    remote: "192.0.2.1:1",
    close() {},
  }, {
    ...TRANSPORT_OPTIONS,
    compression: { algorithm, level: 3 },
    memory,
  });
  const reader = transport.readable.getReader();
  let fault = "";
  try {
    while (!(await reader.read()).done);
    require(held === 0, `${held} bytes are held at the end`);
  } catch (error) {
    fault = refusal(error, [ProtocolError, ConnectionError]);
  }
  require(held >= 0 && most <= CONTENT_BYTES_MAX + stream.length, "it holds");
  return fault;
}

/** The compressed protocol, as packets and as a layer. */
export const COMPRESSION_TARGETS: readonly FuzzTarget[] = [
  {
    name: "compressed-packets",
    corpus: COMPRESSION_ALGORITHMS.flatMap((algorithm, index) =>
      [CONTENTS, CONTENTS.slice(0, 2), CONTENTS.slice(2)].map((contents) =>
        withChoices([index], streamOf(algorithm, contents))
      )
    ),
    allocationBytesMax: 256 * 1024,
    run(bytes) {
      const input = new FuzzInput(bytes);
      const algorithm = input.pick(COMPRESSION_ALGORITHMS);
      const stream = input.rest();
      const whole = decompressed(stream, algorithm, stream.length + 1);
      const cut = decompressed(stream, algorithm, 1 + stream.length % 40);
      require(whole.bytes === cut.bytes, "pieces change nothing");
      require(whole.fault === cut.fault, "pieces change no fault");
      return `${whole.bytes.length > 0} ${whole.fault}`;
    },
  },
  {
    name: "compressed-transport",
    corpus: COMPRESSION_ALGORITHMS.map((algorithm, index) =>
      withChoices([index], streamOf(algorithm, CONTENTS.slice(0, 3)))
    ),
    allocationBytesMax: 256 * 1024,
    run(bytes) {
      const input = new FuzzInput(bytes);
      const algorithm = input.pick(COMPRESSION_ALGORITHMS);
      return through(input.rest(), algorithm);
    },
  },
];
