import { deserialize, serialize } from "node:v8";
import { openSealed, sealBytes } from "../sealed_bytes.ts";

/**
 * A record as it is stored: its structured clone in bytes, with a seal.
 *
 * @param place where it is stored, as in `file/3`
 */
export function sealRecord(
  place: string,
  record: unknown,
): Uint8Array<ArrayBuffer> {
  return sealBytes(place, serialize(record));
}

/**
 * The reverse of `sealRecord`.
 *
 * @param place where it was found
 * @param stored what was found there, of whatever type
 * @returns undefined when that is not what was stored there
 */
export function openRecord(
  place: string,
  stored: unknown,
): { readonly record: unknown } | undefined {
  const bytes = openSealed(place, stored);
  // Bytes that are sealed are those that were serialized.
  return bytes === undefined ? undefined : { record: deserialize(bytes) };
}

/** Where the head is, as its seal has it. */
export const HEAD_PLACE = "head";

/** Where the names of the values beside the log are. */
export const NAMES_PLACE = "names";

/** Where a file's record is. */
export function filePlace(number: number): string {
  return `file/${number}`;
}

/** Where a piece of a block is that is not whole. */
export function tailPlace(block: number, piece: number): string {
  return `tail/${block}/${piece}`;
}

/** Where a piece of a record's byte string is. */
export function piecePlace(
  owner: string,
  generation: number,
  piece: number,
): string {
  return `bytes/${owner}/${generation}/${piece}`;
}

/** Where a value beside the log is. */
export function metaPlace(name: string): string {
  return `meta/${name}`;
}
