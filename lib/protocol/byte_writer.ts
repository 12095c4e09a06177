const textEncoder = new TextEncoder();

const INITIAL_BYTES = 64;

/**
 * A growing little-endian buffer, the counterpart of `ByteReader`. Values that
 * do not fit their field throw a `RangeError`: they are our own mistakes, never
 * a peer's.
 */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  /** Starts with room for `initialBytes` bytes. */
  constructor(initialBytes: number = INITIAL_BYTES) {
    this.#bytes = new Uint8Array(initialBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Number of bytes written. */
  get length(): number {
    return this.#length;
  }

  /** Unsigned 8-bit integer. */
  u8(value: number): this {
    checkRange(value, 0xff);
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
    return this;
  }

  /** Unsigned 16-bit integer. */
  u16(value: number): this {
    checkRange(value, 0xffff);
    const at = this.#grow(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  /** Unsigned 24-bit integer. */
  u24(value: number): this {
    checkRange(value, 0xffffff);
    const at = this.#grow(3);
    this.#view.setUint16(at, value & 0xffff, true);
    this.#view.setUint8(at + 2, value >>> 16);
    return this;
  }

  /** Unsigned 32-bit integer. */
  u32(value: number): this {
    checkRange(value, 0xffffffff);
    const at = this.#grow(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  /** Unsigned 64-bit integer. */
  u64(value: bigint): this {
    checkRange64(value);
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value, true);
    return this;
  }

  /** Length-encoded integer in its shortest form. */
  lenencInt(value: number | bigint): this {
    const wide = BigInt(value);
    checkRange64(wide);
    if (wide < 0xfbn) return this.u8(Number(wide));
    if (wide <= 0xffffn) return this.u8(0xfc).u16(Number(wide));
    if (wide <= 0xffffffn) return this.u8(0xfd).u24(Number(wide));
    return this.u8(0xfe).u64(wide);
  }

  /** Bytes as they are. */
  bytes(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** Bytes with a length-encoded length before them. */
  lenencBytes(bytes: Uint8Array): this {
    return this.lenencInt(bytes.length).bytes(bytes);
  }

  /** UTF-8 text with a length-encoded length before it. */
  lenencString(text: string): this {
    return this.lenencBytes(textEncoder.encode(text));
  }

  /** UTF-8 text as it is, `string<EOF>`. */
  string(text: string): this {
    return this.bytes(textEncoder.encode(text));
  }

  /** UTF-8 text and a NUL; a NUL inside the text throws a `RangeError`. */
  nulString(text: string): this {
    if (text.includes("\0")) {
      throw new RangeError("Cannot write a NUL-terminated string with a NUL");
    }
    return this.string(text).u8(0);
  }

  /** UTF-8 text of at most 255 bytes with a one-byte length before it. */
  shortString(text: string): this {
    const bytes = textEncoder.encode(text);
    return this.u8(bytes.length).bytes(bytes);
  }

  /** `count` zero bytes. */
  zeros(count: number): this {
    this.#grow(count);
    return this;
  }

  /** What was written, as a view; writing on may leave the view behind. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /**
   * Makes room for `count` zero bytes and answers where they begin. Call it
   * before touching `#bytes` or `#view`: it replaces both.
   */
  #grow(count: number): number {
    const at = this.#length;
    const needed = at + count;
    if (needed > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      bytes.set(this.#bytes.subarray(0, at));
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer);
    }
    this.#length = needed;
    return at;
  }
}

function checkRange(value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`Cannot write ${value}: not in 0..${max}`);
  }
}

function checkRange64(value: bigint): void {
  if (value < 0n || value > 0xffff_ffff_ffff_ffffn) {
    throw new RangeError(`Cannot write ${value}: not an unsigned 64-bit value`);
  }
}
