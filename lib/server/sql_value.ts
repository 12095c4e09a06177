/**
 * A value of the small part of SQL answered here. The text is what a result set
 * carries; `binary` holds bytes as Latin-1 characters; the text is null for
 * the type `null` alone.
 */
export type SqlValue =
  | {
    readonly type: "integer" | "decimal" | "double" | "string" | "binary";
    readonly text: string;
  }
  | { readonly type: "null"; readonly text: null };

/** SQL's NULL. */
export const SQL_NULL: SqlValue = { type: "null", text: null };

/** A string value. */
export function sqlString(text: string): SqlValue {
  return { type: "string", text };
}

/** An integer value. */
export function sqlInteger(value: bigint | number): SqlValue {
  return { type: "integer", text: value.toString() };
}

/** What a text counts as beside a number: the number that it begins with. */
export function numberOf(text: string): number {
  return Number(/^\s*[-+]?\d*\.?\d*(?:e[-+]?\d+)?/i.exec(text)?.[0]) || 0;
}
