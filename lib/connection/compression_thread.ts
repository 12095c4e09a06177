/// <reference lib="deno.worker" />
/**
 * Compresses what it is sent, in the order in which it comes: a thread of a
 * `Compressor`.
 *
 * @module
 */
import { compressBytes } from "../protocol/compress_bytes.ts";
import type { Compression } from "../protocol/compression.ts";

/** What a thread is to compress. */
export interface CompressionTask {
  readonly content: Uint8Array<ArrayBuffer>;
  readonly compression: Compression;
}

/** What came of it; `null` if it is to be stored as it is. */
export type CompressionAnswer = Uint8Array<ArrayBuffer> | null;

self.onmessage = ({ data }: MessageEvent<CompressionTask>): void => {
  const compressed = compressBytes(data.content, data.compression);
  // A copy: the bytes of a node Buffer can't be handed over.
  const answer: CompressionAnswer = compressed === undefined
    ? null
    : new Uint8Array(compressed);
  self.postMessage(answer, answer === null ? [] : [answer.buffer]);
};
