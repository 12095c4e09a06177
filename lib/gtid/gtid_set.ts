import { IntervalList } from "./_interval_list.ts";
import {
  GNO_MAX,
  GNO_MIN,
  type Gtid,
  isCanonicalTag,
  parseGno,
  TAG_LENGTH_MAX,
} from "./gtid.ts";
import { formatUuid, isCanonicalUuid, parseUuid, UUID_BYTES } from "./uuid.ts";

/** Bytes in front of an encoded set: format and number of entries. */
const SET_HEADER_BYTES = 8;
/** Bytes of the number of intervals in front of an entry's intervals. */
const INTERVAL_COUNT_BYTES = 8;
/** Bytes of one interval: first number and one past the last number. */
const INTERVAL_BYTES = 16;

/** One interval of a {@linkcode GtidSet}, both ends inclusive. */
export interface GtidInterval {
  readonly uuid: string;
  readonly tag: string;
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * Bytes that are not an encoded GTID set. MySQL answers such a dump command
 * with ER_MALFORMED_GTID_SET_ENCODING (1773).
 */
export class MalformedGtidSetError extends Error {
  /** Index of the first byte that could not be used. */
  readonly offset: number;

  constructor(message: string, offset: number, options?: ErrorOptions) {
    super(message, options);
    this.name = "MalformedGtidSetError";
    this.offset = offset;
  }
}

/**
 * A set of GTIDs: the executed and purged sets of a server, the previous GTIDs
 * of a file, what a replica says it has. Mutable; {@linkcode clone} to keep one.
 *
 * UUIDs and tags given to it must be canonical (lower-case); numbers lie between
 * {@linkcode GNO_MIN} and {@linkcode GNO_MAX}.
 *
 * @example
 * ```ts
 * const executed = GtidSet.parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5");
 * executed.add("3e11fa47-71ca-11e1-9e33-c80aa9429562", "", 6n);
 * executed.toString(); // "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-6"
 * ```
 */
export class GtidSet {
  /** uuid -> tag ("" for none) -> numbers. Never holds an empty list or an empty map. */
  readonly #tagsByUuid = new Map<string, Map<string, IntervalList>>();

  // The list used last: consecutive transactions nearly always share uuid and tag.
  #usedUuid = "";
  #usedTag = "";
  #usedList: IntervalList | undefined = undefined;

  /**
   * Reads MySQL's text form, as in `gtid_executed`.
   *
   * Stricter than the server in two places where it would silently read
   * nothing: a UUID without numbers and an interval that ends before it begins.
   *
   * @param text Entries `uuid:1-5:7:tag:1-2` joined by commas. White space and
   *   line breaks around every part, upper case, doubled commas and the empty
   *   text are accepted.
   * @returns The set.
   * @throws {SyntaxError} If the text is not a GTID set.
   */
  static parse(text: string): GtidSet {
    const set = new GtidSet();
    for (const entry of text.split(",")) {
      if (entry.trim() !== "") set.#parseEntry(entry);
    }
    return set;
  }

  /**
   * Reads the wire form used in COM_BINLOG_DUMP_GTID and PREVIOUS_GTIDS events
   * (MySQL source: `Gtid_set::add_gtid_encoding` in `sql/rpl_gtid_set.cc`, and
   * `libs/mysql/gtids/strconv/gtid_binary_format_conv.h`): without tags, or with
   * tags as of MySQL 8.3.
   *
   * @param bytes The encoded set; all of it must be used.
   * @returns The set.
   * @throws {MalformedGtidSetError} If the bytes are cut short, too long, or hold
   *   anything the server would refuse.
   */
  static decode(bytes: Uint8Array): GtidSet {
    if (bytes.length < SET_HEADER_BYTES) {
      throw new MalformedGtidSetError(
        `Cannot decode GTID set: ${SET_HEADER_BYTES} bytes needed, got ${bytes.length}`,
        bytes.length,
      );
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const header = view.getBigUint64(0, true);
    const format = Number(header >> 56n);
    // The tagged form begins with its number as well, which MySQL does not check.
    if (format > 1) {
      throw new MalformedGtidSetError(
        `Cannot decode GTID set: unknown format ${format}`,
        0,
      );
    }
    const tagged = format === 1;
    const count = tagged ? (header >> 8n) & 0xffff_ffff_ffffn : header;
    const set = new GtidSet();
    let offset = SET_HEADER_BYTES;
    // A wrong count runs into the end of the bytes; nothing is allocated by it.
    for (let entry = 0n; entry < count; entry++) {
      offset = set.#decodeEntry(bytes, view, offset, tagged);
    }
    if (offset !== bytes.length) {
      throw new MalformedGtidSetError(
        `Cannot decode GTID set: ${
          bytes.length - offset
        } bytes left after the last entry`,
        offset,
      );
    }
    return set;
  }

  /**
   * Writes the wire form; see {@linkcode GtidSet.decode}.
   *
   * @param options `tagged`: which of the two forms. Without it, the tagged
   *   form is used only if the set has tags, as MySQL does; servers before 8.3
   *   know only the untagged one.
   * @returns The bytes, entries sorted by UUID, then tag.
   * @throws {RangeError} If the untagged form is asked of a set with tags.
   */
  encode(options: { tagged?: boolean } = {}): Uint8Array {
    const tagged = options.tagged ?? this.hasTags;
    if (!tagged && this.hasTags) {
      throw new RangeError(
        "Cannot encode GTID set without tags: it has tagged GTIDs",
      );
    }
    let size = SET_HEADER_BYTES;
    let entries = 0;
    for (const tags of this.#tagsByUuid.values()) {
      for (const [tag, list] of tags) {
        entries++;
        size += UUID_BYTES + (tagged ? 1 + tag.length : 0) +
          INTERVAL_COUNT_BYTES + list.length * INTERVAL_BYTES;
      }
    }
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(
      0,
      tagged ? 1n << 56n | BigInt(entries) << 8n | 1n : BigInt(entries),
      true,
    );
    let offset = SET_HEADER_BYTES;
    for (const [uuid, tag, list] of this.#sortedLists()) {
      bytes.set(parseUuid(uuid), offset);
      offset += UUID_BYTES;
      if (tagged) {
        // A variable-length integer; with at most 32 it is one byte, shifted left.
        bytes[offset++] = tag.length << 1;
        for (let i = 0; i < tag.length; i++) {
          bytes[offset++] = tag.charCodeAt(i);
        }
      }
      view.setBigUint64(offset, BigInt(list.length), true);
      offset += INTERVAL_COUNT_BYTES;
      for (let i = 0; i < list.length; i++) {
        view.setBigInt64(offset, list.firstAt(i), true);
        view.setBigInt64(offset + 8, list.lastAt(i) + 1n, true);
        offset += INTERVAL_BYTES;
      }
    }
    return bytes;
  }

  /**
   * Writes MySQL's text form on one line.
   *
   * @returns Entries joined by ",", sorted by UUID; within one, numbers without
   *   a tag first, then the tags sorted. "" for the empty set.
   */
  toString(): string {
    let text = "";
    let previousUuid = "";
    for (const [uuid, tag, list] of this.#sortedLists()) {
      if (uuid !== previousUuid) {
        text += text === "" ? uuid : `,${uuid}`;
        previousUuid = uuid;
      }
      if (tag !== "") text += `:${tag}`;
      for (let i = 0; i < list.length; i++) {
        const first = list.firstAt(i);
        const last = list.lastAt(i);
        text += first === last ? `:${first}` : `:${first}-${last}`;
      }
    }
    return text;
  }

  /**
   * Writes the text as a server shows it in `gtid_executed`, statuses, events
   * and errors: each UUID on a line of its own (MySQL source:
   * `Gtid_set::default_string_format` in `sql/rpl_gtid_set.cc`).
   */
  toLines(): string {
    return this.toString().replaceAll(",", ",\n");
  }

  /** Returns an independent copy. */
  clone(): GtidSet {
    const copy = new GtidSet();
    for (const [uuid, tags] of this.#tagsByUuid) {
      const copied = new Map<string, IntervalList>();
      for (const [tag, list] of tags) copied.set(tag, list.clone());
      copy.#tagsByUuid.set(uuid, copied);
    }
    return copy;
  }

  /** True if the set holds no GTID. */
  get isEmpty(): boolean {
    return this.#tagsByUuid.size === 0;
  }

  /** True if any GTID of the set has a tag. */
  get hasTags(): boolean {
    for (const tags of this.#tagsByUuid.values()) {
      if (tags.size > 1 || !tags.has("")) return true;
    }
    return false;
  }

  /** Number of GTIDs in the set. */
  count(): bigint {
    let sum = 0n;
    for (const tags of this.#tagsByUuid.values()) {
      for (const list of tags.values()) sum += list.count();
    }
    return sum;
  }

  /** Says whether the GTID with this uuid, tag ("" for none) and number is in the set. */
  has(uuid: string, tag: string, gno: bigint): boolean {
    const list = this.#find(uuid, tag);
    return list !== undefined && list.has(gno);
  }

  /** Says whether the GTID is in the set. */
  hasGtid(gtid: Gtid): boolean {
    return this.has(gtid.uuid, gtid.tag, gtid.gno);
  }

  /**
   * Adds one GTID. Costs the same whatever the size of the set, and allocates
   * nothing, when the number follows the last one of its uuid and tag.
   *
   * @throws {RangeError} If uuid or tag is not canonical or the number is out of range.
   */
  add(uuid: string, tag: string, gno: bigint): void {
    const list = this.#find(uuid, tag);
    if (list !== undefined && gno >= GNO_MIN && gno <= GNO_MAX) {
      list.add(gno);
    } else {
      this.addInterval(uuid, tag, gno, gno);
    }
  }

  /**
   * Adds a run of GTIDs.
   *
   * @param uuid Canonical UUID.
   * @param tag Canonical tag, or "" for none.
   * @param first First number.
   * @param last Last number, included; not below `first`.
   * @throws {RangeError} If uuid or tag is not canonical or the interval is not one.
   */
  addInterval(uuid: string, tag: string, first: bigint, last: bigint): void {
    if (first < GNO_MIN || last > GNO_MAX || first > last) {
      throw new RangeError(
        `Cannot add to GTID set: ${first}-${last} is not an interval of numbers from ${GNO_MIN} to ${GNO_MAX}`,
      );
    }
    const list = this.#find(uuid, tag) ?? this.#insert(uuid, tag);
    list.addInterval(first, last);
  }

  /** Adds every GTID of another set to this one. */
  addSet(other: GtidSet): void {
    if (other === this) return;
    for (const [uuid, tags] of other.#tagsByUuid) {
      for (const [tag, list] of tags) {
        (this.#find(uuid, tag) ?? this.#insert(uuid, tag)).addList(list);
      }
    }
  }

  /** Removes every GTID of another set from this one. */
  removeSet(other: GtidSet): void {
    if (other === this) {
      this.#tagsByUuid.clear();
    } else {
      for (const [uuid, tags] of other.#tagsByUuid) {
        const mine = this.#tagsByUuid.get(uuid);
        if (mine === undefined) continue;
        for (const [tag, list] of tags) {
          const own = mine.get(tag);
          if (own === undefined) continue;
          own.removeList(list);
          if (own.length === 0) mine.delete(tag);
        }
        if (mine.size === 0) this.#tagsByUuid.delete(uuid);
      }
    }
    this.#usedList = undefined;
  }

  /** Returns the GTIDs that are in either set. */
  union(other: GtidSet): GtidSet {
    const result = this.clone();
    result.addSet(other);
    return result;
  }

  /** Returns the GTIDs of this set that are not in the other. */
  subtract(other: GtidSet): GtidSet {
    const result = this.clone();
    result.removeSet(other);
    return result;
  }

  /** Returns the GTIDs that are in both sets. */
  intersect(other: GtidSet): GtidSet {
    const result = new GtidSet();
    for (const [uuid, tags] of this.#tagsByUuid) {
      for (const [tag, list] of tags) {
        const theirs = other.#tagsByUuid.get(uuid)?.get(tag);
        const common = theirs && list.intersect(theirs);
        if (common !== undefined && common.length > 0) {
          result.#insert(uuid, tag).addList(common);
        }
      }
    }
    return result;
  }

  /** Says whether every GTID of the other set is in this one. */
  containsSet(other: GtidSet): boolean {
    for (const [uuid, tags] of other.#tagsByUuid) {
      const mine = this.#tagsByUuid.get(uuid);
      if (mine === undefined) return false;
      for (const [tag, list] of tags) {
        const own = mine.get(tag);
        if (own === undefined || !own.containsList(list)) return false;
      }
    }
    return true;
  }

  /** Says whether the sets have a GTID in common. */
  intersects(other: GtidSet): boolean {
    for (const [uuid, tags] of other.#tagsByUuid) {
      const mine = this.#tagsByUuid.get(uuid);
      if (mine === undefined) continue;
      for (const [tag, list] of tags) {
        const own = mine.get(tag);
        if (own !== undefined && own.intersects(list)) return true;
      }
    }
    return false;
  }

  /** Says whether both sets hold the same GTIDs. */
  equals(other: GtidSet): boolean {
    if (this.#tagsByUuid.size !== other.#tagsByUuid.size) return false;
    for (const [uuid, tags] of this.#tagsByUuid) {
      const theirs = other.#tagsByUuid.get(uuid);
      if (theirs === undefined || theirs.size !== tags.size) return false;
      for (const [tag, list] of tags) {
        const their = theirs.get(tag);
        if (their === undefined || !list.equals(their)) return false;
      }
    }
    return true;
  }

  /**
   * Returns a copy with the GTIDs of one UUID only, whatever their tag: MySQL
   * compares a replica's set with the source's under the source's own UUID.
   */
  restrictedTo(uuid: string): GtidSet {
    const result = new GtidSet();
    const tags = this.#tagsByUuid.get(uuid);
    if (tags !== undefined) {
      for (const [tag, list] of tags) result.#insert(uuid, tag).addList(list);
    }
    return result;
  }

  /** Returns the UUIDs in the set, sorted. */
  uuids(): string[] {
    return [...this.#tagsByUuid.keys()].sort();
  }

  /** Yields the intervals, sorted by uuid, tag ("" first) and number. */
  *intervals(): Generator<GtidInterval> {
    for (const [uuid, tag, list] of this.#sortedLists()) {
      for (let i = 0; i < list.length; i++) {
        yield { uuid, tag, first: list.firstAt(i), last: list.lastAt(i) };
      }
    }
  }

  #find(uuid: string, tag: string): IntervalList | undefined {
    if (
      this.#usedList !== undefined && uuid === this.#usedUuid &&
      tag === this.#usedTag
    ) return this.#usedList;
    const list = this.#tagsByUuid.get(uuid)?.get(tag);
    if (list !== undefined) {
      this.#usedUuid = uuid;
      this.#usedTag = tag;
      this.#usedList = list;
    }
    return list;
  }

  /** Makes the list of a uuid and tag that is not there; the caller fills it. */
  #insert(uuid: string, tag: string): IntervalList {
    if (!isCanonicalUuid(uuid)) {
      throw new RangeError(
        `Cannot add to GTID set: "${uuid}" is not a lower-case UUID`,
      );
    }
    if (tag !== "" && !isCanonicalTag(tag)) {
      throw new RangeError(
        `Cannot add to GTID set: "${tag}" is not a lower-case tag`,
      );
    }
    let tags = this.#tagsByUuid.get(uuid);
    if (tags === undefined) {
      tags = new Map();
      this.#tagsByUuid.set(uuid, tags);
    }
    const list = new IntervalList();
    tags.set(tag, list);
    return list;
  }

  // UUIDs and tags are ASCII, so the order of code units is MySQL's order of bytes.
  *#sortedLists(): Generator<[string, string, IntervalList]> {
    for (const uuid of this.uuids()) {
      const tags = this.#tagsByUuid.get(uuid)!;
      for (const tag of [...tags.keys()].sort()) {
        yield [uuid, tag, tags.get(tag)!];
      }
    }
  }

  #parseEntry(entry: string): void {
    const parts = entry.toLowerCase().split(":").map((part) => part.trim());
    const uuid = parts[0]!;
    if (!isCanonicalUuid(uuid)) throw notASet(`"${uuid}" is not a UUID`);
    let tag = "";
    let numbers = 0;
    for (const part of parts.slice(1)) {
      if (isCanonicalTag(part)) {
        if (tag !== "" && numbers === 0) break;
        tag = part;
        numbers = 0;
      } else {
        const [first, last] = parseInterval(part);
        this.addInterval(uuid, tag, first, last);
        numbers++;
      }
    }
    if (numbers === 0) {
      throw notASet(`no numbers after "${tag === "" ? uuid : tag}"`);
    }
  }

  #decodeEntry(
    bytes: Uint8Array,
    view: DataView,
    offset: number,
    tagged: boolean,
  ): number {
    requireBytes(bytes, offset, UUID_BYTES, "a UUID");
    const uuid = formatUuid(bytes, offset);
    offset += UUID_BYTES;
    let tag = "";
    if (tagged) {
      requireBytes(bytes, offset, 1, "the length of a tag");
      const lengthBytes = variableLengthBytes(bytes[offset]!);
      requireBytes(bytes, offset, lengthBytes, "the length of a tag");
      const wanted = variableLengthAt(bytes, offset, lengthBytes);
      if (wanted > BigInt(TAG_LENGTH_MAX)) {
        throw new MalformedGtidSetError(
          `Cannot decode GTID set: a tag is longer than ${TAG_LENGTH_MAX} characters`,
          offset,
        );
      }
      const length = Number(wanted);
      offset += lengthBytes;
      requireBytes(bytes, offset, length, "a tag");
      tag = String.fromCharCode(...bytes.subarray(offset, offset + length))
        .toLowerCase();
      if (length > 0 && !isCanonicalTag(tag)) {
        throw new MalformedGtidSetError(
          "Cannot decode GTID set: a tag has characters no tag has",
          offset,
        );
      }
      offset += length;
    }
    requireBytes(bytes, offset, INTERVAL_COUNT_BYTES, "a number of intervals");
    const count = view.getBigUint64(offset, true);
    offset += INTERVAL_COUNT_BYTES;
    if (count > BigInt(Math.floor((bytes.length - offset) / INTERVAL_BYTES))) {
      throw new MalformedGtidSetError(
        `Cannot decode GTID set: ${count} intervals announced, ${
          bytes.length - offset
        } bytes left`,
        offset,
      );
    }
    let previousEnd = 0n;
    for (let i = 0n; i < count; i++) {
      const start = view.getBigInt64(offset, true);
      const end = view.getBigInt64(offset + 8, true);
      // Sorted, apart from each other, not empty, begins at 1 or later: as MySQL asks.
      if (start <= previousEnd || end <= start) {
        throw new MalformedGtidSetError(
          `Cannot decode GTID set: interval from ${start} up to ${end} after ${previousEnd}`,
          offset,
        );
      }
      this.addInterval(uuid, tag, start, end - 1n);
      previousEnd = end;
      offset += INTERVAL_BYTES;
    }
    return offset;
  }
}

function parseInterval(text: string): [bigint, bigint] {
  const dash = text.indexOf("-");
  const first = parseGno(dash < 0 ? text : text.slice(0, dash).trimEnd());
  const last = dash < 0 ? first : parseGno(text.slice(dash + 1).trimStart());
  if (first === undefined || last === undefined || last < first) {
    throw notASet(`"${text.slice(0, 64)}" is not an interval or a tag`);
  }
  return [first, last];
}

function notASet(reason: string): SyntaxError {
  return new SyntaxError(`Cannot parse GTID set: ${reason}`);
}

/**
 * Bytes of a variable-length integer, by its first one: as many more as that
 * has ones at its low end (`libs/mysql/serialization/variable_length_integers.h`).
 * Writers take as few as they can; MySQL reads longer ones too.
 */
function variableLengthBytes(first: number): number {
  let more = 0;
  while ((first >> more & 1) !== 0) more++;
  return more + 1;
}

/** The value of a variable-length integer. */
function variableLengthAt(
  bytes: Uint8Array,
  offset: number,
  length: number,
): bigint {
  let value = 0n;
  for (let i = length - 1; i >= 0; i--) {
    value = value << 8n | BigInt(bytes[offset + i]!);
  }
  // the longest ones have eight bytes of value behind a byte of ones
  return value >> BigInt(Math.min(length, 8));
}

function requireBytes(
  bytes: Uint8Array,
  offset: number,
  needed: number,
  what: string,
): void {
  if (offset + needed > bytes.length) {
    throw new MalformedGtidSetError(
      `Cannot decode GTID set: ${needed} bytes needed for ${what}, ${
        bytes.length - offset
      } left`,
      offset,
    );
  }
}
