import type { SeededRandom } from "../support/seeded_random.ts";

/** Inputs do not grow beyond this. */
const INPUT_BYTES_MAX = 96 * 1024;
/** Most do not grow beyond this, or what they were made from: it costs time. */
const USUAL_BYTES_MAX = 4096;

/** Bytes that mean something in many places. */
const TELLING_BYTES = [0, 1, 2, 3, 4, 0x7f, 0x80, 0xfb, 0xfc, 0xfd, 0xfe, 0xff];

/** Numbers at which lengths and counts go wrong. */
const TELLING_NUMBERS: readonly bigint[] = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0x100n,
  0x7fffn,
  0xffffn,
  0x1_0000n,
  0xff_ffffn,
  0x100_0000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_fffen,
  0xffff_ffffn,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n - 2n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

const NUMBER_WIDTHS = [1, 2, 3, 4, 6, 8];

/** What an input is changed with. */
export interface MutationMaterial {
  /** Inputs to take pieces from. */
  readonly pool: readonly Uint8Array[];
  readonly dictionary: readonly Uint8Array[];
}

type Mutation = (
  input: Uint8Array,
  random: SeededRandom,
  material: MutationMaterial,
) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  setByte,
  setByte,
  setNumber,
  setNumber,
  addToNumber,
  insertRandom,
  insertPiece,
  insertPiece,
  remove,
  repeat,
  truncate,
  splice,
  overwrite,
];

/** A copy of an input with one to eight changes. */
export function mutate(
  input: Uint8Array,
  random: SeededRandom,
  material: MutationMaterial,
): Uint8Array {
  let changed: Uint8Array = input.slice();
  // mostly few: an input that is wrong everywhere is refused at its first byte
  const changes = 1 << random.integer(0, random.integer(0, 3));
  for (let n = 0; n < changes; n++) {
    changed = random.pick(MUTATIONS)(changed, random, material);
  }
  const bytesMax = random.chance(0.02)
    ? INPUT_BYTES_MAX
    : Math.max(USUAL_BYTES_MAX, input.length);
  return changed.slice(0, Math.min(bytesMax, INPUT_BYTES_MAX));
}

/** Random bytes, to begin with nothing. */
export function randomInput(random: SeededRandom): Uint8Array {
  return random.bytes(random.integer(0, random.pick([8, 40, 200])));
}

function anyAt(input: Uint8Array, random: SeededRandom): number {
  return random.integer(0, Math.max(0, input.length - 1));
}

function flipBit(input: Uint8Array, random: SeededRandom): Uint8Array {
  const at = anyAt(input, random);
  if (input.length > 0) input[at] = input[at]! ^ 1 << random.integer(0, 7);
  return input;
}

function setByte(input: Uint8Array, random: SeededRandom): Uint8Array {
  if (input.length > 0) {
    input[anyAt(input, random)] = random.chance(0.5)
      ? random.pick(TELLING_BYTES)
      : random.integer(0, 255);
  }
  return input;
}

function setNumber(input: Uint8Array, random: SeededRandom): Uint8Array {
  putNumber(
    input,
    anyAt(input, random),
    random.pick(NUMBER_WIDTHS),
    random.pick(TELLING_NUMBERS),
  );
  return input;
}

/** A length that is a little wrong passes where an absurd one does not. */
function addToNumber(input: Uint8Array, random: SeededRandom): Uint8Array {
  const at = anyAt(input, random);
  if (input.length > 0) input[at] = input[at]! + random.integer(-4, 4);
  return input;
}

/** As little-endian, as far as there is room. */
function putNumber(
  input: Uint8Array,
  at: number,
  width: number,
  value: bigint,
): void {
  for (let n = 0; n < width && at + n < input.length; n++) {
    input[at + n] = Number(value >> BigInt(8 * n) & 0xffn);
  }
}

function insertRandom(input: Uint8Array, random: SeededRandom): Uint8Array {
  return replaced(
    input,
    random.integer(0, input.length),
    0,
    random.bytes(random.integer(1, 12)),
  );
}

function insertPiece(
  input: Uint8Array,
  random: SeededRandom,
  { dictionary, pool }: MutationMaterial,
): Uint8Array {
  const piece = dictionary.length > 0 && random.chance(0.8)
    ? random.pick(dictionary)
    : partOf(random.pick(pool), random);
  const at = random.integer(0, input.length);
  const instead = random.chance(0.3) ? piece.length : 0;
  return replaced(input, at, instead, piece);
}

function remove(input: Uint8Array, random: SeededRandom): Uint8Array {
  const at = anyAt(input, random);
  const count = random.integer(1, random.pick([1, 4, 16, input.length + 1]));
  return replaced(input, at, count, new Uint8Array(0));
}

function repeat(input: Uint8Array, random: SeededRandom): Uint8Array {
  const part = partOf(input, random);
  const times = random.pick([1, 1, 2, 8, 200]);
  const timesMax = Math.max(1, Math.floor(INPUT_BYTES_MAX / (part.length + 1)));
  const run = new Uint8Array(part.length * Math.min(times, timesMax));
  for (let at = 0; at < run.length; at += part.length) run.set(part, at);
  return replaced(input, random.integer(0, input.length), 0, run);
}

function truncate(input: Uint8Array, random: SeededRandom): Uint8Array {
  return input.slice(0, random.integer(0, input.length));
}

/** The begin of one and the end of another. */
function splice(
  input: Uint8Array,
  random: SeededRandom,
  { pool }: MutationMaterial,
): Uint8Array {
  const other = random.pick(pool);
  const from = random.integer(0, other.length);
  const to = random.integer(0, input.length);
  return replaced(input, to, input.length - to, other.subarray(from));
}

function overwrite(
  input: Uint8Array,
  random: SeededRandom,
  { pool }: MutationMaterial,
): Uint8Array {
  const piece = partOf(random.pick(pool), random);
  return replaced(input, anyAt(input, random), piece.length, piece);
}

function partOf(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const from = random.integer(0, bytes.length);
  return bytes.slice(from, from + random.integer(1, random.pick([4, 30, 200])));
}

function replaced(
  input: Uint8Array,
  at: number,
  count: number,
  by: Uint8Array,
): Uint8Array {
  const after = Math.min(input.length, at + count);
  const changed = new Uint8Array(at + by.length + input.length - after);
  changed.set(input.subarray(0, at));
  changed.set(by, at);
  changed.set(input.subarray(after), at + by.length);
  return changed;
}
