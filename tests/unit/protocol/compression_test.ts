import { assertEquals } from "@std/assert";
import { Capability } from "../../../lib/protocol/capability.ts";
import {
  agreedCompression,
  compressionCapabilities,
  isZstdLevel,
} from "../../../lib/protocol/compression.ts";

Deno.test("compressionCapabilities() announces what is offered and nothing else", () => {
  assertEquals(compressionCapabilities([]), 0);
  assertEquals(compressionCapabilities(["zlib"]), 0x20);
  assertEquals(compressionCapabilities(["zstd"]), 0x0400_0000);
  assertEquals(compressionCapabilities(["zstd", "zlib"]), 0x0400_0020);
});

Deno.test("agreedCompression() takes zlib where both sides set both flags", () => {
  const { COMPRESS, ZSTD_COMPRESSION, PROTOCOL_41 } = Capability;
  assertEquals(agreedCompression(PROTOCOL_41, 3), undefined);
  assertEquals(agreedCompression(COMPRESS, undefined), {
    algorithm: "zlib",
    level: 6,
  });
  assertEquals(agreedCompression(COMPRESS | ZSTD_COMPRESSION, 19), {
    algorithm: "zlib",
    level: 6,
  });
  assertEquals(agreedCompression(ZSTD_COMPRESSION, 19), {
    algorithm: "zstd",
    level: 19,
  });
  assertEquals(agreedCompression(ZSTD_COMPRESSION, undefined), {
    algorithm: "zstd",
    level: 3,
  });
});

Deno.test("isZstdLevel() knows the levels 1 to 22", () => {
  assertEquals([0, 1, 3, 22, 23, 255].map(isZstdLevel), [
    false,
    true,
    true,
    true,
    false,
    false,
  ]);
});
