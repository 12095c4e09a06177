import type { LogFields } from "../../log/log.ts";
import { shownFields, shownMessage } from "../../log/shown_line.ts";
import type { LiveWarning } from "./live_warning.ts";

/** How many are kept. */
export const WARNINGS_MAX = 100;

/** What a line may have: clients decide what some lines say. */
const TEXT_MAX = 500;
const FIELDS_MAX = 16;

/** Fields that differ from one client to the next, whatever was wrong. */
const OF_CLIENTS = new Set(["remote", "host"]);

/** A warning, and when it was last new or said again. */
interface Kept {
  readonly version: number;
  readonly warning: LiveWarning;
}

/**
 * What was logged lately as a warning or an error: the newest ones, without
 * secrets, as the log shows them. One that is said again is counted: it has the
 * same level, message and texts; numbers and clients' addresses may differ.
 */
export class RecentWarnings {
  readonly #now: () => number;
  /** By what makes them the same, the one said last at the end. */
  readonly #kept = new Map<string, Kept>();
  #lastId = 0;
  #version = 0;

  /** @param now milliseconds since 1970 */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Grows with every one that is taken. */
  get version(): number {
    return this.#version;
  }

  /** Takes what was logged. */
  readonly add = (
    level: "warn" | "error",
    text: string,
    logged: LogFields,
  ): void => {
    const at = new Date(this.#now()).toISOString();
    const message = cut(shownMessage(text));
    const fields = Object.fromEntries(
      [...shownFields(logged)].slice(0, FIELDS_MAX).map((
        [name, value],
      ) => [name, typeof value === "string" ? cut(value) : value]),
    );
    const key = JSON.stringify([
      level,
      message,
      ...Object.entries(fields).filter(([name, value]) =>
        typeof value !== "number" && !OF_CLIENTS.has(name)
      ),
    ]);
    const known = this.#kept.get(key)?.warning;
    this.#kept.delete(key);
    this.#kept.set(key, {
      version: ++this.#version,
      warning: {
        id: known?.id ?? ++this.#lastId,
        level,
        message,
        fields,
        at,
        first_at: known?.first_at ?? at,
        count: (known?.count ?? 0) + 1,
      },
    });
    if (this.#kept.size <= WARNINGS_MAX) return;
    const [oldest] = this.#kept.keys();
    this.#kept.delete(oldest!);
  };

  /** The newest ones, the one said last at the end. */
  list(most = WARNINGS_MAX): LiveWarning[] {
    return [...this.#kept.values()].slice(-most).map(({ warning }) => warning);
  }

  /** Those that are new or were said again since `version` was that. */
  since(version: number): LiveWarning[] {
    return [...this.#kept.values()]
      .filter((kept) => kept.version > version)
      .map(({ warning }) => warning);
  }
}

function cut(text: string): string {
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}
