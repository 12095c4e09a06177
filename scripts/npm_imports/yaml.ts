/**
 * Stands in for `@std/yaml` where JSR cannot be reached: `parse`, `parseAll`
 * and `stringify` over the `yaml` package of npm, with `@std/yaml`'s reading of
 * scalars, its errors and its `null` for an empty document.
 *
 * @module
 */

import {
  type Document,
  type DocumentOptions,
  LineCounter,
  parseAllDocuments,
  type SchemaOptions,
  stringify as stringifyYaml,
  type Tags,
  visit,
  // deno-lint-ignore no-import-prefix -- only this file may know the package
} from "npm:yaml@^2.9.1";

/** Options of {@linkcode parse} and {@linkcode parseAll}. */
export interface ParseOptions {
  /** Whether a key may be repeated, the last one winning; `false` if not given. */
  allowDuplicateKeys?: boolean;
}

/** Options of {@linkcode stringify}. */
export interface StringifyOptions {
  /** Spaces a level is indented by; 2 if not given. */
  indent?: number;
  /** Column at which long text is folded, -1 for never; 80 if not given. */
  lineWidth?: number;
  /** Whether keys are sorted; `false` if not given. */
  sortKeys?: boolean;
}

/** Where in the text an error is. */
export interface YamlPosition {
  /** Line, from 1. */
  readonly line: number;
  /** Column, from 1. */
  readonly column: number;
  /** Characters before it. */
  readonly offset: number;
}

/** Text that is not YAML; its message and its fields name the place. */
export class YamlSyntaxError extends SyntaxError implements YamlPosition {
  readonly line: number;
  readonly column: number;
  readonly offset: number;

  /** @param message What is wrong, without the place. */
  constructor(message: string, position: YamlPosition) {
    super(`${message} at line ${position.line}, column ${position.column}`);
    this.name = "YamlSyntaxError";
    this.line = position.line;
    this.column = position.column;
    this.offset = position.offset;
  }
}

/**
 * The numbers and dates of YAML 1.1 but for its sexagesimal numbers, and
 * `true`/`false` as the only booleans: what `@std/yaml` reads by default.
 */
function defaultTags(tags: Tags): Tags {
  const kept = tags.filter((tag) =>
    typeof tag === "string" ||
    !(tag.tag === "tag:yaml.org,2002:bool" ||
      ("format" in tag && tag.format === "TIME"))
  );
  return [...kept, "bool"];
}

function schemaOptions(): DocumentOptions & SchemaOptions {
  return { version: "1.2", schema: "yaml-1.1", customTags: defaultTags };
}

/** Refuses what the package only finds when it makes values of the document. */
function checkAliases(document: Document.Parsed, lines: LineCounter): void {
  visit(document, {
    Alias(_key, node): void {
      if (node.resolve(document) !== undefined) return;
      const offset = node.range?.[0] ?? 0;
      const { line, col } = lines.linePos(offset);
      throw new YamlSyntaxError(
        `Cannot read alias: unidentified alias "${node.source}"`,
        { line, column: col, offset },
      );
    },
  });
}

/**
 * Reads each document of a YAML text.
 *
 * @throws {YamlSyntaxError} If the text is not YAML.
 */
export function parseAll(
  content: string,
  options: ParseOptions = {},
): unknown[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(content, {
    ...schemaOptions(),
    uniqueKeys: !(options.allowDuplicateKeys ?? false),
    lineCounter: lines,
    prettyErrors: false,
    // its warnings quote the text, which may hold passwords
    logLevel: "error",
  });
  return Array.from(documents, (document) => {
    const error = document.errors[0];
    if (error !== undefined) {
      const offset = error.pos[0];
      const { line, col } = lines.linePos(offset);
      throw new YamlSyntaxError(error.message, { line, column: col, offset });
    }
    const parsed = document as Document.Parsed;
    checkAliases(parsed, lines);
    return valueOf(parsed, lines) ?? null;
  });
}

/** What a document says; some of what is wrong in it shows only then. */
function valueOf(document: Document.Parsed, lines: LineCounter): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    const [offset] = document.range;
    const { line, col } = lines.linePos(offset);
    throw new YamlSyntaxError(
      cause instanceof Error ? cause.message : String(cause),
      { line, column: col, offset },
    );
  }
}

/**
 * Reads a YAML text that holds one document; `null` if it holds none.
 *
 * @throws {YamlSyntaxError} If the text is not YAML, or several documents.
 */
export function parse(content: string, options: ParseOptions = {}): unknown {
  const documents = parseAll(content, options);
  if (documents.length > 1) {
    throw new YamlSyntaxError(
      "Cannot read document: expected a single document in the stream",
      { line: 1, column: 1, offset: 0 },
    );
  }
  return documents[0] ?? null;
}

/**
 * Writes a value as YAML, quoting what YAML 1.1 would read as another type.
 *
 * @throws {TypeError} If there is a function or a symbol in the value.
 */
export function stringify(
  data: unknown,
  options: StringifyOptions = {},
): string {
  return stringifyYaml(data, (_key: unknown, value: unknown) => {
    if (typeof value === "function" || typeof value === "symbol") {
      throw new TypeError(`Cannot stringify ${typeof value}`);
    }
    return value;
  }, {
    ...schemaOptions(),
    compat: "yaml-1.1",
    indent: options.indent ?? 2,
    lineWidth: options.lineWidth === -1 ? 0 : options.lineWidth ?? 80,
    sortMapEntries: options.sortKeys ?? false,
    singleQuote: true,
    aliasDuplicateObjects: true,
  });
}
