import {
  StatementError,
  StatementFault,
  statementSyntaxError,
} from "./statement_error.ts";
import { type Token, tokenizeStatement } from "./statement_tokenizer.ts";

/** Digits of 2^64-1. */
const U64_DIGITS = 20;

/**
 * The most UTF-16 units of variables' values and GTID sets that one statement
 * may ask to be made or read, beyond the first: a value can be a megabyte, and
 * a short statement can name it thousands of times.
 */
const VALUE_UNITS_MAX = 8 * 1024 * 1024;

/** Reads the tokens of one statement from left to right. */
export class StatementCursor {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #index = 0;
  #charged = 0;

  /** @throws {StatementError} 1064 when the text does not split into tokens */
  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenizeStatement(text);
  }

  /** The whole statement. */
  get text(): string {
    return this.#text;
  }

  /** The token at the cursor. */
  get token(): Token {
    return this.#tokens[this.#index]!;
  }

  /** The token after it; the end token at the end. */
  get following(): Token {
    return this.#tokens[this.#index + 1] ?? this.token;
  }

  /** Offset in the text just after the token before the cursor. */
  get consumedEnd(): number {
    return this.#tokens[this.#index - 1]?.end ?? 0;
  }

  /** Whether nothing is left. */
  get atEnd(): boolean {
    return this.token.kind === "end";
  }

  /** Takes the token at the cursor. */
  take(): Token {
    const token = this.token;
    if (token.kind !== "end") this.#index += 1;
    return token;
  }

  /** The statement's text between two offsets, as it was written. */
  slice(start: number, end: number): string {
    return this.#text.slice(start, end);
  }

  /** Whether the unquoted words, upper case, stand at the cursor. */
  atWords(...words: string[]): boolean {
    return words.every((word, i) => {
      const token = this.#tokens[this.#index + i];
      return token?.kind === "word" && token.value.toUpperCase() === word;
    });
  }

  /** Takes the words if all of them stand at the cursor, and says whether. */
  takeWords(...words: string[]): boolean {
    if (!this.atWords(...words)) return false;
    this.#index += words.length;
    return true;
  }

  /** Takes the one of the words that stands at the cursor. */
  takeAnyWord(...words: string[]): string | undefined {
    return words.find((word) => this.takeWords(word));
  }

  /** Whether the operator or punctuation stands at the cursor. */
  atSymbol(symbol: string): boolean {
    return this.token.kind === "symbol" && this.token.value === symbol;
  }

  /** Takes the symbol if it stands at the cursor, and says whether. */
  takeSymbol(symbol: string): boolean {
    if (!this.atSymbol(symbol)) return false;
    this.#index += 1;
    return true;
  }

  /** @throws {StatementError} 1064 unless the symbol stands at the cursor */
  expectSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) throw this.unexpected();
  }

  /** @throws {StatementError} 1064 unless the words stand at the cursor */
  expectWords(...words: string[]): void {
    if (!this.takeWords(...words)) throw this.unexpected();
  }

  /** Takes a name, bare or in backticks. */
  expectName(): string {
    const { kind } = this.token;
    if (kind !== "word" && kind !== "identifier") throw this.unexpected();
    return this.take().value;
  }

  /** Takes a name, or a string in its place. */
  expectNameOrString(): string {
    return this.token.kind === "string"
      ? this.expectString()
      : this.expectName();
  }

  /** Takes a string; strings next to each other are one. */
  expectString(): string {
    if (this.token.kind !== "string") throw this.unexpected();
    let value = "";
    while (this.token.kind === "string") value += this.take().value;
    return value;
  }

  /** Takes an integer without sign of at most 64 bits. */
  expectInteger(): bigint {
    const { kind, value } = this.token;
    if (kind !== "integer" || value.length > U64_DIGITS) {
      throw this.unexpected();
    }
    return BigInt(this.take().value);
  }

  /** @throws {StatementError} 1064 unless nothing but semicolons is left */
  expectEnd(): void {
    while (this.takeSymbol(";")) {
      // an empty statement
    }
    if (!this.atEnd) throw this.unexpected();
  }

  /**
   * Counts a value's length against what one statement may ask for.
   *
   * @throws {StatementError} 1105 when it is too much
   */
  charge(units: number): void {
    if (this.#charged > 0 && this.#charged + units > VALUE_UNITS_MAX) {
      throw new StatementError(
        StatementFault.ER_UNKNOWN,
        "The statement asks for too much at once",
      );
    }
    this.#charged += units;
  }

  /** The syntax error for the token at the cursor. */
  unexpected(): StatementError {
    return statementSyntaxError(this.#text, this.token.start);
  }
}
