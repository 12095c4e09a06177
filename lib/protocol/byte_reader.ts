import { ErrorCode } from "./error_code.ts";
import { ProtocolError } from "./protocol_error.ts";

const textDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * A bounds-checked little-endian cursor over one packet's payload. Every read
 * that would pass the end throws a `ProtocolError` (1835, malformed packet) and
 * leaves the cursor where it was. Byte results are views into the payload.
 *
 * MySQL internals: "Protocol Basic Data Types" (integer and string types).
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset: number;

  /** Reads `bytes` from `offset` on; `bytes` is borrowed, not copied. */
  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#offset = offset;
  }

  /** Index of the next byte to read. */
  get offset(): number {
    return this.#offset;
  }

  /** Number of bytes not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** Unsigned 8-bit integer, `int<1>`. */
  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  /** Unsigned 16-bit integer, `int<2>`. */
  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  /** Unsigned 24-bit integer, `int<3>`. */
  u24(): number {
    const at = this.#take(3);
    return this.#view.getUint16(at, true) |
      (this.#view.getUint8(at + 2) << 16);
  }

  /** Unsigned 32-bit integer, `int<4>`. */
  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** Unsigned 64-bit integer, `int<8>`. */
  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** Length-encoded integer, `int<lenenc>`, of up to 64 bits. */
  lenencBigint(): bigint {
    const start = this.#offset;
    const first = this.u8();
    if (first < 0xfb) return BigInt(first);
    try {
      switch (first) {
        case 0xfc:
          return BigInt(this.u16());
        case 0xfd:
          return BigInt(this.u24());
        case 0xfe:
          return this.u64();
      }
    } catch (cause) {
      this.#offset = start;
      throw cause;
    }
    this.#offset = start;
    throw this.#malformed(
      `0x${first.toString(16)} does not begin a length-encoded integer`,
    );
  }

  /**
   * Length-encoded integer that has to be a safe JavaScript integer: a count or
   * a length. Throws a `ProtocolError` beyond 2^53 − 1.
   */
  lenencInt(): number {
    const start = this.#offset;
    const value = this.lenencBigint();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      this.#offset = start;
      throw this.#malformed(`count ${value} is out of range`);
    }
    return Number(value);
  }

  /** The next `length` bytes, as a view. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** Bytes with a length-encoded length before them, as a view. */
  lenencBytes(): Uint8Array {
    const start = this.#offset;
    const length = this.lenencInt();
    if (length > this.remaining) {
      this.#offset = start;
      throw this.#malformed(
        `${length} bytes announced, ${this.#bytes.length - start} left`,
      );
    }
    return this.bytes(length);
  }

  /** `string<lenenc>` as UTF-8; bytes that are not become U+FFFD. */
  lenencString(): string {
    return textDecoder.decode(this.lenencBytes());
  }

  /** A value of a text result row: `string<lenenc>`, or 0xfb for NULL. */
  lenencStringOrNull(): string | null {
    if (this.#bytes[this.#offset] === 0xfb) {
      this.#offset++;
      return null;
    }
    return this.lenencString();
  }

  /** True if a NUL lies among the bytes not read yet. */
  hasNul(): boolean {
    return this.#bytes.indexOf(0, this.#offset) >= 0;
  }

  /** Bytes up to the next NUL, as a view; the NUL is read too. */
  nulBytes(): Uint8Array {
    const end = this.#bytes.indexOf(0, this.#offset);
    if (end < 0) throw this.#malformed("a string is not NUL-terminated");
    const bytes = this.#bytes.subarray(this.#offset, end);
    this.#offset = end + 1;
    return bytes;
  }

  /** `string<NUL>` as UTF-8; bytes that are not become U+FFFD. */
  nulString(): string {
    return textDecoder.decode(this.nulBytes());
  }

  /** `string<fix>` of `length` bytes as UTF-8. */
  string(length: number): string {
    return textDecoder.decode(this.bytes(length));
  }

  /** All bytes that are left, as a view. */
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  /** All bytes that are left as UTF-8, `string<EOF>`. */
  restString(): string {
    return textDecoder.decode(this.rest());
  }

  /** Passes over `length` bytes. */
  skip(length: number): void {
    this.#take(length);
  }

  #take(length: number): number {
    const at = this.#offset;
    if (length > this.#bytes.length - at) {
      throw this.#malformed(
        `${length} bytes wanted, ${this.#bytes.length - at} left`,
      );
    }
    this.#offset = at + length;
    return at;
  }

  #malformed(detail: string): ProtocolError {
    return new ProtocolError(
      ErrorCode.ER_MALFORMED_PACKET,
      `Malformed communication packet: ${detail} at offset ${this.#offset}`,
    );
  }
}
