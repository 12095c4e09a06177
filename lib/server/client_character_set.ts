import { CharacterSet } from "../protocol/character_set.ts";

/** A character set as far as column definitions need it. */
export interface ClientCharacterSet {
  /** Name as in `SET NAMES name`. */
  readonly name: string;
  /** Number of the collation sent in column definitions (MySQL: `information_schema.COLLATIONS.ID`). */
  readonly collation: number;
  readonly collationName: string;
  /** Bytes of its widest character: a column's length is characters times this. */
  readonly bytesPerCharacter: number;
}

// name, default collation, its number, bytes of the widest character
const CHARACTER_SETS: readonly ClientCharacterSet[] = ([
  ["utf8mb4", "utf8mb4_0900_ai_ci", 255, 4],
  ["utf8mb3", "utf8mb3_general_ci", 33, 3],
  ["utf8", "utf8mb3_general_ci", 33, 3],
  ["latin1", "latin1_swedish_ci", 8, 1],
  ["binary", "binary", CharacterSet.BINARY, 1],
  ["ascii", "ascii_general_ci", 11, 1],
  ["big5", "big5_chinese_ci", 1, 2],
  ["latin2", "latin2_general_ci", 9, 1],
  ["ujis", "ujis_japanese_ci", 12, 3],
  ["sjis", "sjis_japanese_ci", 13, 2],
  ["euckr", "euckr_korean_ci", 19, 2],
  ["gb2312", "gb2312_chinese_ci", 24, 2],
  ["greek", "greek_general_ci", 25, 1],
  ["cp1250", "cp1250_general_ci", 26, 1],
  ["gbk", "gbk_chinese_ci", 28, 2],
  ["latin5", "latin5_turkish_ci", 30, 1],
  ["cp1251", "cp1251_general_ci", 51, 1],
  ["cp932", "cp932_japanese_ci", 95, 2],
  ["gb18030", "gb18030_chinese_ci", 248, 4],
] as const).map(([name, collationName, collation, bytesPerCharacter]) => ({
  name,
  collation,
  collationName,
  bytesPerCharacter,
}));

/**
 * The character set called `name`, in any case, or undefined for one not in the
 * table.
 */
export function characterSetNamed(
  name: string,
): ClientCharacterSet | undefined {
  const wanted = name.toLowerCase();
  return CHARACTER_SETS.find((known) => known.name === wanted);
}

/**
 * The character set of the collation number a client's handshake carries. The
 * number itself is kept, since MySQL sends it back in column definitions.
 * Numbers that are not a default collation are told by MySQL's ranges; the rest
 * counts as a single-byte set.
 */
export function characterSetOfCollation(collation: number): ClientCharacterSet {
  const known = CHARACTER_SETS.find((set) => set.collation === collation);
  if (known !== undefined) return known;
  const name = isUtf8mb4(collation)
    ? "utf8mb4"
    : isUtf8mb3(collation)
    ? "utf8mb3"
    : "latin1";
  return { ...characterSetNamed(name)!, collation };
}

function isUtf8mb4(collation: number): boolean {
  return collation === 45 || collation === 46 ||
    collation >= 224 && collation <= 247 || collation >= 255;
}

function isUtf8mb3(collation: number): boolean {
  return collation === 76 || collation === 83 ||
    collation >= 192 && collation <= 223;
}
