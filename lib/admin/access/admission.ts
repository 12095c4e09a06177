import type { Log } from "../../log/log.ts";
import type { RouteAccess } from "../admin_route.ts";
import { RequestError } from "../request_error.ts";
import { AdminTokens } from "./admin_tokens.ts";
import { BEARER_ADVICE } from "./bearer_advice.ts";
import { HostNames } from "./host_names.ts";
import { TokenRefusals } from "./token_refusals.ts";

/** What an {@linkcode Admission} is made with. */
export interface AdmissionOptions {
  /** None when absent. */
  readonly tokens?: AdminTokens | undefined;
  /** Host names besides `localhost`; see {@linkcode HostNames}. */
  readonly hosts?: readonly string[] | undefined;
  /**
   * Further ones that pages may have been loaded under, on any port: those of
   * proxies, which may ask under another name than the browser did.
   */
  readonly proxies?: readonly string[] | undefined;
  /** Whether others than this machine reach the API; false when absent. */
  readonly isExposed?: boolean | undefined;
  readonly log: Log;
  /** Milliseconds; `Date.now` when absent. */
  readonly now?: (() => number) | undefined;
}

/** How the admin token is given, for those who need one and have none. */
const HOW_TO_GET =
  "set admin.admin-token-file (or admin.admin-token-env) in kingbus's configuration";

/**
 * Who may ask for what: the rules of tokens, hosts and browsers.
 *
 * - Without tokens everybody who reaches the API may see and change: only this
 *   machine does. A browser may not change anything then, since the page that
 *   makes it ask may be anybody's.
 * - A read token, once there is one, is needed to see.
 * - The admin token, once there is one, is needed to change; and to see, where
 *   others reach the API and there is no read token.
 * - With a read token alone nobody may change anything.
 */
export class Admission {
  readonly #tokens: AdminTokens;
  readonly #hosts: HostNames;
  readonly #proxies: HostNames;
  readonly #isExposed: boolean;
  readonly #refusals: TokenRefusals;

  constructor(
    { tokens, hosts = [], proxies = [], isExposed = false, log, now }:
      AdmissionOptions,
  ) {
    this.#tokens = tokens ?? new AdminTokens({ log });
    this.#hosts = new HostNames([...hosts, ...proxies]);
    this.#proxies = new HostNames(proxies);
    this.#isExposed = isExposed;
    this.#refusals = new TokenRefusals({ log, now: now ?? Date.now });
  }

  /** How many requests came with a wrong token. */
  get refusedTokens(): number {
    return this.#refusals.total;
  }

  /** Reads the tokens' files again. Never throws. */
  reload(): Promise<void> {
    return this.#tokens.reload();
  }

  /**
   * Checks under which name the API was asked.
   *
   * @throws {RequestError} 400 or 421.
   */
  checkHost(request: Request): void {
    // Of a request with a whole URL in its first line that counts.
    this.#hosts.check(new URL(request.url).host);
    const host = request.headers.get("host");
    if (host !== null) this.#hosts.check(host);
  }

  /**
   * Lets a request in, and says what its caller is allowed.
   *
   * @param remote address it came from, for the log and to count by.
   * @throws {RequestError} 401, 403 or 429.
   */
  admit(
    request: Request,
    access: RouteAccess,
    remote: string,
  ): RouteAccess {
    if (access === "admin") this.#checkOrigin(request);
    const token = bearerToken(request);
    const level = token === undefined ? undefined : this.#tokens.levelOf(token);
    const isWrong = token !== undefined && level === undefined &&
      this.#hasTokens;
    if (access === "open") return level ?? this.#withoutToken(request);
    if (isWrong) throw this.#refusals.refuse(remote);
    const granted = level ?? this.#withoutToken(request);
    if (granted === "admin" || granted === access) return granted;
    throw this.#refusal(access, granted, request);
  }

  get #hasTokens(): boolean {
    return this.#tokens.has("read") || this.#tokens.has("admin");
  }

  /** What a caller is allowed who shows no token. */
  #withoutToken(request: Request): RouteAccess {
    if (this.#tokens.has("read")) return "open";
    if (this.#tokens.has("admin")) return this.#isExposed ? "open" : "read";
    return isFromBrowser(request) ? "read" : "admin";
  }

  #refusal(
    access: RouteAccess,
    granted: RouteAccess,
    request: Request,
  ): RequestError {
    if (access === "admin" && !this.#tokens.has("admin")) {
      const why = isFromBrowser(request)
        ? "a browser may change something with the admin token only, and there is none"
        : "changing something needs the admin token, and there is none";
      return new RequestError(403, `${why}: ${HOW_TO_GET}`);
    }
    const hasShownOne = granted === "read" &&
      bearerToken(request) !== undefined;
    if (access === "admin" && hasShownOne) {
      return new RequestError(
        403,
        "the read token may change nothing: this needs the admin token",
      );
    }
    const which = access === "read" && this.#tokens.has("read")
      ? "a token"
      : "the admin token";
    return new RequestError(
      401,
      `this needs ${which}: ${BEARER_ADVICE}`,
      { headers: CHALLENGE },
    );
  }

  /** Of pages only our own may have something changed. */
  #checkOrigin(request: Request): void {
    const site = request.headers.get("sec-fetch-site");
    const isForeignSite = site !== null && site !== "none" &&
      site !== "same-origin";
    const origin = request.headers.get("origin");
    if (!isForeignSite && (origin === null || this.#isOwn(origin, request))) {
      return;
    }
    throw new RequestError(
      403,
      "a page of another site may change nothing here",
    );
  }

  #isOwn(origin: string, request: Request): boolean {
    if (!URL.canParse(origin)) return false;
    const { host, protocol } = new URL(origin);
    if (protocol !== "http:" && protocol !== "https:") return false;
    const own = request.headers.get("host") ?? new URL(request.url).host;
    // A proxy may ask under another name than the page was asked under.
    return host === own.toLowerCase() || this.#proxies.isGiven(host);
  }
}

/** Says how to log in (RFC 6750). */
const CHALLENGE = { "www-authenticate": 'Bearer realm="kingbus"' };

/** The token in `Authorization`; undefined without one, empty for another kind. */
function bearerToken(request: Request): string | undefined {
  const header = request.headers.get("authorization");
  if (header === null) return undefined;
  return /^bearer +([^\s]+)\s*$/i.exec(header)?.[1] ?? "";
}

/** Browsers send one of these with whatever a page has them ask. */
function isFromBrowser(request: Request): boolean {
  const site = request.headers.get("sec-fetch-site");
  return request.headers.has("origin") || site !== null && site !== "none";
}
