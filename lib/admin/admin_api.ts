import { type Context, Hono } from "hono";
import { matchedRoutes } from "hono/route";
import { type Address, formatAddress } from "../config/address.ts";
import { describeError } from "../log/describe_error.ts";
import type { Log } from "../log/log.ts";
import { redactText } from "../log/redact.ts";
import { RetentionError } from "../retention/retention_error.ts";
import { AdminListenError } from "./admin_listen_error.ts";
import type { AdminRoute } from "./admin_route.ts";
import { ControlError, type ControlErrorKind } from "./control.ts";
import { failure } from "./envelope.ts";
import { readText } from "./read_text.ts";
import { RequestError } from "./request_error.ts";
import type { AdminRequestObserver } from "./request_observer.ts";
import { parseInput, parseQuery } from "./route_input.ts";

/** What the admin API answers with. */
export interface AdminApiParts {
  /** Everything it answers; see `adminRoutes()`. */
  readonly routes: readonly AdminRoute[];
  /** Told of each request once its answer begins. */
  readonly onRequest?: AdminRequestObserver | undefined;
  readonly log: Log;
}

const STATUS_OF: Readonly<Record<ControlErrorKind, number>> = {
  invalid: 400,
  conflict: 409,
  unavailable: 503,
};

/** How long requests under way may take once the API closes. */
const CLOSE_TIMEOUT_MS = 2000;

/** Pattern of what comes before all routes. */
const EVERY_PATH = "/*";

const EVENT_STREAM = "text/event-stream";

/**
 * The admin HTTP API: the original kingbus's paths, bodies and envelope, with
 * true causes and statuses. It holds no state of its own.
 */
export class AdminApi implements AsyncDisposable {
  readonly #parts: AdminApiParts;
  readonly #app = new Hono();
  readonly #closing = new AbortController();
  readonly #cutOff = new AbortController();
  /** Requests whose answers are not delivered yet. */
  readonly #underWay = new Set<Promise<void>>();
  #server: Deno.HttpServer<Deno.NetAddr> | undefined;

  constructor(parts: AdminApiParts) {
    this.#parts = parts;
    this.#observe(parts.onRequest);
    for (const routes of byPath(parts.routes)) this.#route(routes);
    this.#app.notFound((context) =>
      failure(404, `there is no ${context.req.path.slice(0, 200)} here`)
    );
    this.#app.onError((error, context) => this.#refuse(error, context));
  }

  /** Answers one request; what listens calls it, and tests do. */
  readonly handle = (request: Request): Response | Promise<Response> =>
    this.#app.fetch(request);

  /**
   * Begins to listen; returns the address, with the port that was chosen.
   *
   * @throws {AdminListenError}
   */
  listen(address: Address): Address {
    const { hostname } = address;
    try {
      this.#server = Deno.serve({
        ...address,
        signal: this.#cutOff.signal,
        onListen: () => {},
        onError: (error) => this.#fail(error),
      }, (request, info) => this.#accept(request, info.completed));
    } catch (cause) {
      throw new AdminListenError(formatAddress(address), cause);
    }
    return { hostname, port: this.#server.addr.port };
  }

  /**
   * Ends listening, once the requests under way are answered or their time is
   * up. (`shutdown()` of the server waits for clients that send nothing more.)
   * Event streams are not waited for: they are told to end, and then cut off.
   */
  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    this.#closing.abort();
    const timeUp = Promise.withResolvers<void>();
    const timer = setTimeout(timeUp.resolve, CLOSE_TIMEOUT_MS);
    await Promise.race([Promise.all(this.#underWay), timeUp.promise]);
    clearTimeout(timer);
    this.#cutOff.abort();
    await server.finished;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #accept(
    request: Request,
    completed: Promise<void>,
  ): Promise<Response> {
    if (this.#server === undefined) return failure(503, "kingbus is stopping");
    // Rejects when the client went away before it had its answer.
    const done = completed.catch(() => {}).finally(() =>
      this.#underWay.delete(done)
    );
    this.#underWay.add(done);
    const response = await this.handle(request);
    const isStream = response.headers.get("content-type")?.startsWith(
      EVENT_STREAM,
    );
    if (isStream) this.#underWay.delete(done);
    return response;
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
      this.#app.on(route.method, pattern, async (context) => {
        this.#note(context);
        return await this.#answer(route, context);
      });
    }
    const allow = routes.flatMap(({ method }) =>
      method === "GET" ? ["GET", "HEAD"] : [method]
    ).join(", ");
    this.#app.all(pattern, (context) => {
      const message = `${path} takes ${allow}, not ${context.req.method}`;
      return failure(405, message, { allow });
    });
  }

  async #answer(route: AdminRoute, context: Context): Promise<Response> {
    const request = context.req.raw;
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
      granted: "admin",
      closing: this.#closing.signal,
      text: () => readText(request),
    });
    if (request.method !== "HEAD") return response;
    // Nobody reads it: a stream would go on for ever.
    await response.body?.cancel();
    return new Response(null, response);
  }

  /** What changes something is worth a line in every log. */
  #note(context: Context): void {
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
    return failure(500, "internal error");
  }

  #refuse(error: unknown, context: Context): Response {
    const { method, path } = context.req;
    const message = redactText(describeError(error));
    const status = statusOf(error);
    const fields = { method, path, status, error: message };
    if (status >= 500) this.#parts.log.error("admin request failed", fields);
    else this.#parts.log.debug("admin request refused", fields);
    return failure(status, message);
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
