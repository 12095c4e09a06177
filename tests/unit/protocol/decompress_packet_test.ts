import { assert, assertEquals, assertThrows } from "@std/assert";
import { constants, deflateSync, zstdCompressSync } from "node:zlib";
import { decompressPacket } from "../../../lib/protocol/decompress_packet.ts";
import type { CompressionAlgorithm } from "../../../lib/protocol/compression.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";

const CONTENT = new TextEncoder().encode("SELECT 1; ".repeat(120));

const COMPRESSED: ReadonlyMap<CompressionAlgorithm, Uint8Array> = new Map([
  ["zlib", new Uint8Array(deflateSync(CONTENT))],
  ["zstd", new Uint8Array(zstdCompressSync(CONTENT))],
]);

const MIB_16 = 16 * 1024 * 1024 - 1;

function refused(
  payload: Uint8Array,
  announcedBytes: number,
  algorithm: CompressionAlgorithm,
  message: string,
): void {
  const error = assertThrows(
    () =>
      decompressPacket({ sequenceId: 0, announcedBytes, payload }, algorithm),
    ProtocolError,
    message,
  );
  assertEquals(error.code, 1157);
  assertEquals(error.sqlState, "08S01");
}

Deno.test("decompressPacket() answers what was compressed, of any length", () => {
  for (const size of [1, 49, 50, 63, 64, 1000, 262_144, 262_145, MIB_16]) {
    const content = new Uint8Array(size).fill(0x61);
    content[size - 1] = 0x62;
    for (
      const [algorithm, payload] of [
        ["zlib", deflateSync(content)],
        ["zstd", zstdCompressSync(content)],
      ] as const
    ) {
      const packet = { sequenceId: 0, announcedBytes: size, payload };
      const bytes = decompressPacket(packet, algorithm);
      assert(bytes.constructor === Uint8Array, "no Buffer");
      assertEquals(bytes.length, size);
      assertEquals(bytes[size - 1], 0x62);
      assert(bytes.subarray(0, -1).every((byte) => byte === 0x61));
    }
  }
});

Deno.test("decompressPacket() refuses one that holds more or less than it announces", () => {
  for (const [algorithm, payload] of COMPRESSED) {
    const more = "holds more than the 1199 bytes";
    refused(payload, 1199, algorithm, more);
    refused(payload, 1, algorithm, "holds more than the 1 bytes");
    refused(payload, 1201, algorithm, "holds 1200 bytes where 1201 are");
    refused(payload, MIB_16, algorithm, "holds 1200 bytes where 16777215 are");
  }
});

Deno.test("decompressPacket() refuses a payload cut short at every length", () => {
  for (const [algorithm, payload] of COMPRESSED) {
    for (let length = 0; length < payload.length; length++) {
      // Some decoders answer all that there was without its checksum.
      if (algorithm === "zstd" && length === payload.length) continue;
      refused(payload.subarray(0, length), 1200, algorithm, "packet");
    }
  }
});

Deno.test("decompressPacket() refuses what is not compressed that way", () => {
  refused(COMPRESSED.get("zstd")!, 1200, "zlib", "not compressed with zlib");
  refused(COMPRESSED.get("zlib")!, 1200, "zstd", "not compressed with zstd");
  for (const algorithm of ["zlib", "zstd"] as const) {
    refused(new Uint8Array(0), 10, algorithm, "packet");
    refused(new Uint8Array(200).fill(7), 200, algorithm, "not compressed");
  }
});

Deno.test("decompressPacket() ends a bomb where it goes beyond what it announces", () => {
  const zeros = new Uint8Array(256 * 1024 * 1024);
  const bombs = [
    ["zlib", deflateSync(zeros)],
    ["zstd", zstdCompressSync(zeros)],
  ] as const;
  for (const [algorithm, payload] of bombs) {
    const began = performance.now();
    refused(payload, 1000, algorithm, "holds more than the 1000 bytes");
    refused(payload, MIB_16, algorithm, "holds more than the 16777215 bytes");
    assert(performance.now() - began < 2000, "not decompressed to its end");
  }
});

Deno.test("decompressPacket() refuses a window larger than any packet needs", () => {
  const payload = zstdCompressSync(new Uint8Array(40 * 1024 * 1024), {
    params: {
      [constants.ZSTD_c_windowLog]: 27,
      [constants.ZSTD_c_compressionLevel]: 1,
    },
  });
  refused(payload, MIB_16, "zstd", "not compressed with zstd");
});
