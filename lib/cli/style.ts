import { styleText } from "node:util";

/** When to colour what is printed. */
export const COLOR_CHOICES = ["auto", "always", "never"] as const;

/** One of {@linkcode COLOR_CHOICES}. */
export type ColorChoice = typeof COLOR_CHOICES[number];

/** Colours text, or leaves it as it is where nobody would see colours. */
export class Style {
  readonly #colored: boolean;

  /** @param colored whether to colour at all */
  constructor(colored: boolean) {
    this.#colored = colored;
  }

  /** Whether it colours. */
  get colored(): boolean {
    return this.#colored;
  }

  /** What is as it should be. */
  good(text: string): string {
    return this.#paint("green", text);
  }

  /** What somebody should look at. */
  warning(text: string): string {
    return this.#paint("yellow", text);
  }

  /** What is wrong. */
  bad(text: string): string {
    return this.#paint("red", text);
  }

  /** Titles. */
  strong(text: string): string {
    return this.#paint("bold", text);
  }

  /** What matters less. */
  faint(text: string): string {
    return this.#paint("dim", text);
  }

  #paint(format: Parameters<typeof styleText>[0], text: string): string {
    if (!this.#colored || text === "") return text;
    return styleText(format, text, { validateStream: false });
  }
}

/**
 * Whether to colour: as `--color` says; else never with NO_COLOR, always with
 * FORCE_COLOR, and otherwise on a terminal that is not a dumb one.
 *
 * @param choice what `--color` says
 * @param env an environment variable
 * @param isTerminal whether standard output is one
 */
export function wantsColor(
  choice: ColorChoice,
  env: (name: string) => string | undefined,
  isTerminal: boolean,
): boolean {
  if (choice !== "auto") return choice === "always";
  if (env("NO_COLOR")) return false;
  const forced = env("FORCE_COLOR");
  if (forced) return forced !== "0" && forced !== "false";
  return isTerminal && env("TERM") !== "dumb";
}
