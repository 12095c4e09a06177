/** Where a fault in the configuration is, as far as it is known. */
export interface ConfigPlace {
  /** The configuration file. */
  readonly file?: string | undefined;
  /** Line in the file, from 1. */
  readonly line?: number | undefined;
  /** The key (`server.users[0].name`), the flag (`--data-dir`) or variable. */
  readonly key?: string | undefined;
}

/**
 * The configuration cannot be used. The message is one line: where, then why.
 * Trying again without a change of the configuration gives the same.
 */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly key: string | undefined;
  /** Why, without the place. */
  readonly reason: string;

  constructor(reason: string, place: ConfigPlace = {}, cause?: unknown) {
    super([...placeParts(place), reason].join(": "), { cause });
    this.reason = reason;
    this.file = place.file;
    this.line = place.line;
    this.key = place.key;
  }
}

function placeParts(place: ConfigPlace): string[] {
  const parts: string[] = [];
  if (place.file !== undefined) {
    parts.push(
      place.line === undefined ? place.file : `${place.file}:${place.line}`,
    );
  }
  if (place.key !== undefined) parts.push(place.key);
  return parts;
}
