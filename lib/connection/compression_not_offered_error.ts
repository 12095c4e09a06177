import type { CompressionAlgorithm } from "../protocol/compression.ts";

/** A server does not compress in the way that it was asked for. */
export class CompressionNotOfferedError extends Error {
  readonly algorithm: CompressionAlgorithm;

  constructor(algorithm: CompressionAlgorithm) {
    super(`The server does not offer compression with ${algorithm}`);
    this.name = "CompressionNotOfferedError";
    this.algorithm = algorithm;
  }
}
