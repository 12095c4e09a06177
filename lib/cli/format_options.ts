import type { Style } from "./style.ts";
import type { Terminal } from "./terminal.ts";

/** How wide a text may become, and whether it is coloured. */
export interface FormatOptions {
  /** Columns; Infinity where there is no terminal. */
  readonly width: number;
  readonly style: Style;
}

/** Fits texts to the terminal; what is no terminal takes lines of any length. */
export function formatOptions(
  { outIsTerminal, size, style }: Terminal,
): FormatOptions {
  const width = outIsTerminal ? size()?.columns ?? Infinity : Infinity;
  return { width, style };
}
