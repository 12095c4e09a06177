import { createHash, timingSafeEqual } from "node:crypto";
import { parseToken } from "../../config/admin_token.ts";
import { describeReadFault } from "../../config/describe_read_fault.ts";
import type { AdminToken } from "../../config/options.ts";
import type { Log } from "../../log/log.ts";
import type { RouteAccess } from "../admin_route.ts";

/** What {@linkcode AdminTokens} are made with. */
export interface AdminTokensOptions {
  readonly readToken?: AdminToken | undefined;
  readonly adminToken?: AdminToken | undefined;
  readonly log: Log;
  /** `Deno.readTextFile` when absent. */
  readonly readTextFile?: (path: string) => Promise<string>;
}

type Level = Exclude<RouteAccess, "open">;

/**
 * The tokens that callers show. Only digests of them are kept, which all have
 * one length, so that comparing them takes the same time whatever is shown.
 */
export class AdminTokens {
  readonly #given: ReadonlyMap<Level, AdminToken>;
  readonly #digests = new Map<Level, Uint8Array>();
  readonly #log: Log;
  readonly #readTextFile: (path: string) => Promise<string>;

  constructor(
    { readToken, adminToken, log, readTextFile }: AdminTokensOptions,
  ) {
    const given = new Map<Level, AdminToken>();
    if (readToken !== undefined) given.set("read", readToken);
    if (adminToken !== undefined) given.set("admin", adminToken);
    for (const [level, { text }] of given) {
      this.#digests.set(level, digestOf(text));
    }
    this.#given = given;
    this.#log = log;
    this.#readTextFile = readTextFile ?? Deno.readTextFile;
  }

  /** Whether there is a token of that kind. */
  has(level: Level): boolean {
    return this.#digests.has(level);
  }

  /** What a token allows; undefined for one that is none of ours. */
  levelOf(token: string): Level | undefined {
    const shown = digestOf(token);
    let found: Level | undefined;
    // All are compared, whichever it is.
    for (const [level, digest] of this.#digests) {
      if (timingSafeEqual(shown, digest)) found = level;
    }
    return found;
  }

  /**
   * Reads the files again. Never throws: of a token that can't be used the log
   * says why, and the one of before goes on being taken.
   */
  async reload(): Promise<void> {
    for (const [level, { file }] of this.#given) {
      if (file === undefined) continue;
      // A field called token would be taken for one, and not shown.
      const fields = { right: level, file };
      try {
        const text = parseToken(await this.#readTextFile(file));
        this.#digests.set(level, digestOf(text));
        this.#log.info("token of the admin API read again", fields);
      } catch (error) {
        const reason = error instanceof SyntaxError
          ? error.message
          : describeReadFault(error);
        this.#log.error(
          "the token of the admin API can't be read again; the one of before goes on being taken",
          { ...fields, reason },
        );
      }
    }
  }
}

function digestOf(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
