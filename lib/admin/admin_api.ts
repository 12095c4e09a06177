import { type Context, Hono } from "hono";
import { matchedRoutes } from "hono/route";
import { type Address, formatAddress, isLoopback } from "../config/address.ts";
import { describeError } from "../log/describe_error.ts";
import type { Log } from "../log/log.ts";
import { redactText } from "../log/redact.ts";
import { RetentionError } from "../retention/retention_error.ts";
import type { Credentials } from "../tls/credentials.ts";
import { TOKEN_ADVICE } from "../config/admin_token.ts";
import { Admission } from "./access/admission.ts";
import { AdminListenError } from "./admin_listen_error.ts";
import type { AdminRoute } from "./admin_route.ts";
import {
  type AdminRefusalObserver,
  ConnectionRefusals,
} from "./connection_refusals.ts";
import { ControlError, type ControlErrorKind } from "./control.ts";
import { failure } from "./envelope.ts";
import { type HttpLimits, HttpListener } from "./http_listener.ts";
import { readText } from "./read_text.ts";
import { RequestError } from "./request_error.ts";
import type { AdminRequestObserver } from "./request_observer.ts";
import { parseInput, parseQuery } from "./route_input.ts";
import { secured } from "./secured.ts";

/** What the router is given with each request. */
interface Surroundings {
  readonly Bindings: { readonly remote: string };
}

/** How an {@linkcode AdminApi} listens. */
export interface ListenOptions {
  /** The certificate; undefined: plain HTTP. */
  readonly tls?: Credentials | undefined;
  /** Whether there is a token, so that others may reach it. */
  readonly isGuarded?: boolean | undefined;
  /** Other limits than the usual ones, for tests. */
  readonly limits?: Partial<HttpLimits> | undefined;
}

/** What the admin API answers with. */
export interface AdminApiParts {
  /** Everything it answers; see `adminRoutes()`. */
  readonly routes: readonly AdminRoute[];
  /** Told of each request once its answer begins. */
  readonly onRequest?: AdminRequestObserver | undefined;
  /** Told of each connection that could ask for nothing. */
  readonly onRefused?: AdminRefusalObserver | undefined;
  /** Who may ask for what; everybody when absent. */
  readonly admission?: Admission | undefined;
  readonly log: Log;
}

const STATUS_OF: Readonly<Record<ControlErrorKind, number>> = {
  invalid: 400,
  conflict: 409,
  unavailable: 503,
};

/** What is told of a bug: its own words are for the log. */
const FAULT = "a fault in kingbus itself: its log says more";

/** Pattern of what comes before all routes. */
const EVERY_PATH = "/*";

/**
 * The admin HTTP API: the original kingbus's paths, bodies and envelope, with
 * true causes and statuses. It holds no state of its own.
 */
export class AdminApi implements AsyncDisposable {
  readonly #parts: AdminApiParts;
  readonly #app = new Hono<Surroundings>();
  readonly #closing = new AbortController();
  readonly #admission: Admission;
  #listener: HttpListener | undefined;

  constructor(parts: AdminApiParts) {
    this.#parts = parts;
    this.#admission = parts.admission ?? new Admission({ log: parts.log });
    this.#observe(parts.onRequest);
    for (const routes of byPath(parts.routes)) this.#route(routes);
    this.#app.notFound((context) => {
      this.#checkTarget(context.req.raw);
      return failure(404, `there is no ${context.req.path.slice(0, 200)} here`);
    });
    this.#app.onError((error, context) => this.#refuse(error, context));
  }

  /**
   * Answers one request; what listens calls it, and tests do.
   *
   * @param remote IP address it came from
   */
  readonly handle = async (
    request: Request,
    remote = "",
  ): Promise<Response> => {
    try {
      return secured(await this.#app.fetch(request, { remote }));
    } catch (error) {
      return this.#fail(error);
    }
  };

  /**
   * Begins to listen; returns the address, with the port that was chosen.
   *
   * @throws {AdminListenError} also when others reach the address and there is
   * no token.
   */
  async listen(
    address: Address,
    options: ListenOptions = {},
  ): Promise<Address> {
    const { hostname } = address;
    const { log, onRefused: observer } = this.#parts;
    const refusals = new ConnectionRefusals({ log, observer });
    const listener = await HttpListener.open({
      address,
      onRefused: (reason, remote) => refusals.refused(reason, remote),
      answer: this.handle,
      tls: options.tls,
      limits: options.limits,
    });
    const { bound } = listener;
    if (!isLoopback(bound.hostname) && options.isGuarded !== true) {
      await listener.close();
      throw new AdminListenError(formatAddress(address), undefined, {
        reason:
          `others reach ${bound.hostname}, and there is no token: ${TOKEN_ADVICE}`,
      });
    }
    this.#listener = listener;
    return { hostname, port: bound.port };
  }

  /** Has new connections get another certificate. */
  useCertificate(tls: Credentials): void {
    this.#listener?.useCertificate(tls);
  }

  /** Reads the tokens' files again. Never throws. */
  reloadTokens(): Promise<void> {
    return this.#admission.reload();
  }

  /** How many requests came with a wrong token. */
  get refusedTokens(): number {
    return this.#admission.refusedTokens;
  }

  /**
   * Ends listening, once the requests under way are answered or their time is
   * up. Event streams are told to end, and not waited for.
   */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#listener?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Tells of every request, whatever becomes of it; before all routes. */
  #observe(observer: AdminRequestObserver | undefined): void {
    if (observer === undefined) return;
    this.#app.use(EVERY_PATH, async (context, next) => {
      const began = performance.now();
      await next();
      const matched = matchedRoutes(context).at(-1)?.path;
      observer({
        method: context.req.method,
        route: matched === EVERY_PATH
          ? undefined
          : matched?.replaceAll(/:(\w+)/g, "{$1}"),
        status: context.res.status,
        seconds: (performance.now() - began) / 1000,
      });
    });
  }

  /** Adds the methods of one path. */
  #route(routes: readonly AdminRoute[]): void {
    const { path } = routes[0]!;
    const pattern = path.replaceAll(/\{(\w+)\}/g, ":$1");
    for (const route of routes) {
      this.#app.on(
        route.method,
        pattern,
        (context) => this.#answer(route, context),
      );
    }
    const allow = routes.flatMap(({ method }) =>
      method === "GET" ? ["GET", "HEAD"] : [method]
    ).join(", ");
    this.#app.all(pattern, (context) => {
      this.#checkTarget(context.req.raw);
      const message = `${path} takes ${allow}, not ${context.req.method}`;
      return failure(405, message, { allow });
    });
  }

  /**
   * Checks under which name and with which path it was asked.
   *
   * @throws {RequestError} 400 or 421.
   */
  #checkTarget(request: Request): void {
    this.#admission.checkHost(request);
    try {
      decodeURIComponent(new URL(request.url).pathname);
    } catch (cause) {
      throw new RequestError(400, "the path is not encoded as it should", {
        cause,
      });
    }
  }

  async #answer(
    route: AdminRoute,
    context: Context<Surroundings>,
  ): Promise<Response> {
    const request = context.req.raw;
    this.#checkTarget(request);
    const granted = this.#admission.admit(
      request,
      route.access,
      context.env.remote,
    );
    this.#note(context);
    const params = context.req.param();
    if (route.params !== undefined) parseInput(params, route.params);
    const query = route.query && parseInput(
      parseQuery(new URL(request.url).searchParams),
      route.query,
    );
    const response = await route.handle({
      request,
      params,
      query,
      granted,
      closing: this.#closing.signal,
      text: () => readText(request),
    });
    if (request.method !== "HEAD") return response;
    // Nobody reads it: a stream would go on for ever.
    await response.body?.cancel();
    return new Response(null, response);
  }

  /** What changes something is worth a line in every log. */
  #note(context: Context<Surroundings>): void {
    const { method, path } = context.req;
    const { log } = this.#parts;
    if (method === "GET" || method === "HEAD") {
      log.debug("admin request", { method, path });
    } else {
      log.info("admin request", { method, path });
    }
  }

  /** What not even the router could answer. */
  #fail(error: unknown): Response {
    const fields = { error: describeError(error) };
    this.#parts.log.error("admin request failed", fields);
    return failure(500, FAULT);
  }

  #refuse(error: unknown, context: Context<Surroundings>): Response {
    const { method, path } = context.req;
    const message = redactText(describeError(error));
    const status = statusOf(error);
    const fields = { method, path, status, error: message };
    if (status >= 500) this.#parts.log.error("admin request failed", fields);
    else this.#parts.log.debug("admin request refused", fields);
    if (status === 500) return failure(500, FAULT);
    const headers = error instanceof RequestError ? error.headers : {};
    return failure(status, message, headers);
  }
}

/** The routes of each path. */
function byPath(routes: readonly AdminRoute[]): AdminRoute[][] {
  return [...Map.groupBy(routes, ({ path }) => path).values()];
}

function statusOf(error: unknown): number {
  if (error instanceof RequestError) return error.status;
  if (error instanceof ControlError) return STATUS_OF[error.kind];
  if (error instanceof RetentionError) {
    return error.kind === "unknown-file" ? 404 : 503;
  }
  return 500;
}
