/// <reference lib="deno.worker" />
/**
 * Makes compressed packets of what it is sent, in the order in which it comes:
 * a thread of a `Compressor`.
 *
 * @module
 */
import type { Compression } from "../protocol/compression.ts";
import { packContent } from "../protocol/pack_content.ts";

/** What a thread is to make a packet of. */
export interface CompressionTask {
  readonly content: Uint8Array<ArrayBuffer>;
  readonly sequenceId: number;
  readonly compression: Compression;
}

self.onmessage = ({ data }: MessageEvent<CompressionTask>): void => {
  const packet = packContent(data.content, data.sequenceId, data.compression);
  self.postMessage(packet, [packet.buffer]);
};
