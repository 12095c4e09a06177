import { RECORD_STRING_BYTES_MAX } from "../block_engine.ts";
import { concatBytes } from "../concat_bytes.ts";
import { damageError } from "../damage_error.ts";
import { openSealed, sealBytes } from "../sealed_bytes.ts";
import { piecePlace } from "./kv_record.ts";

/** Bytes of one piece; a value holds 64 KiB with its encoding. */
const PIECE_BYTES = 60_000;

/** The most entries Deno KV reads in one go, which are then of one moment. */
const LIST_BATCH_MAX = 500;

/** Where a byte string is kept that is too large for its record. */
export interface PiecesRef {
  /** Tells it from what its owner had before. */
  readonly generation: number;
  /** How many pieces it has. */
  readonly pieces: number;
}

/** A byte string of a record: in place, or in pieces elsewhere. */
export type StoredBytes = Uint8Array | PiecesRef;

/** A piece to be written. */
export interface PieceWrite {
  /** Where it goes. */
  readonly key: Deno.KvKey;
  /** The piece, with its seal. */
  readonly bytes: Uint8Array;
}

/** What changes when records are written. */
export interface PieceChanges {
  /** To be written together with the records, or before. */
  readonly writes: readonly PieceWrite[];
  /** To be removed together with the records, or later. */
  readonly removals: readonly Deno.KvKey[];
}

interface KeptBytes {
  readonly bytes: Uint8Array;
  readonly ref: PiecesRef;
}

/**
 * Keeps the byte strings of records that are too large for them, in pieces
 * under `["bytes", owner, generation, piece]`. A changed string gets a new
 * generation, so that its pieces may be written before the record that names
 * them; pieces that no record names are what a crash left.
 */
export class LargeBytes {
  // What records have on disk, by owner.
  readonly #kept = new Map<string, KeptBytes>();
  #generation = 0;
  #writes: PieceWrite[] = [];
  #removals: Deno.KvKey[] = [];
  // Found by `load` and not named by a record yet: by owner and generation.
  readonly #found = new Map<
    string,
    { keys: Deno.KvKey[]; parts: (Uint8Array | undefined)[] }
  >();

  /** Reads all pieces there are, or those that `which` selects. */
  async load(
    kv: Deno.Kv,
    which: Deno.KvListSelector = { prefix: ["bytes"] },
  ): Promise<void> {
    const pieces = kv.list<Uint8Array>(which, { batchSize: LIST_BATCH_MAX });
    for await (const { key, value } of pieces) {
      const [, owner, generation] = key;
      const id = `${String(owner)} ${String(generation)}`;
      const found = this.#found.get(id) ?? { keys: [], parts: [] };
      const piece = found.keys.push(key) - 1;
      found.parts.push(
        openSealed(
          piecePlace(String(owner), Number(generation), piece),
          value,
        ),
      );
      this.#found.set(id, found);
      this.#generation = Math.max(this.#generation, Number(generation) || 0);
    }
  }

  /**
   * The bytes that `owner`'s record has or names.
   *
   * @throws {StoreError} `corrupt` when pieces are missing or damaged
   */
  resolve(owner: string, stored: StoredBytes): Uint8Array {
    if (stored instanceof Uint8Array) return stored;
    const id = `${owner} ${stored.generation}`;
    const found = this.#found.get(id);
    const parts = found?.parts.filter((part) => part !== undefined) ?? [];
    if (parts.length !== stored.pieces) {
      throw damageError("the log is damaged", {
        what: `the byte string ${owner}`,
        how: `has ${parts.length} sound pieces, expected ${stored.pieces}`,
      });
    }
    this.#found.delete(id);
    const bytes = concatBytes(parts);
    this.#kept.set(owner, { bytes, ref: stored });
    return bytes;
  }

  /** Has everything removed that was found and not resolved. */
  removeOrphans(): void {
    for (const { keys } of this.#found.values()) this.#removals.push(...keys);
    this.#found.clear();
  }

  /** What `owner`'s record is to hold for `bytes`, which must not change. */
  store(owner: string, bytes: Uint8Array): StoredBytes {
    const kept = this.#kept.get(owner);
    if (kept?.bytes === bytes) return kept.ref;
    this.remove(owner);
    if (bytes.length <= RECORD_STRING_BYTES_MAX) return bytes;
    const ref = {
      generation: ++this.#generation,
      pieces: Math.ceil(bytes.length / PIECE_BYTES),
    };
    for (const [piece, key] of keysOf(owner, ref).entries()) {
      const start = piece * PIECE_BYTES;
      this.#writes.push({
        key,
        bytes: sealBytes(
          piecePlace(owner, ref.generation, piece),
          bytes.subarray(start, start + PIECE_BYTES),
        ),
      });
    }
    this.#kept.set(owner, { bytes, ref });
    return ref;
  }

  /** Forgets what `owner` has. */
  remove(owner: string): void {
    const kept = this.#kept.get(owner);
    if (kept === undefined) return;
    this.#removals.push(...keysOf(owner, kept.ref));
    this.#kept.delete(owner);
  }

  /** What changed since the last call. */
  takeChanges(): PieceChanges {
    const changes = { writes: this.#writes, removals: this.#removals };
    this.#writes = [];
    this.#removals = [];
    return changes;
  }
}

function keysOf(owner: string, ref: PiecesRef): Deno.KvKey[] {
  return Array.from({ length: ref.pieces }, (_, piece) => [
    "bytes",
    owner,
    BigInt(ref.generation),
    BigInt(piece),
  ]);
}
