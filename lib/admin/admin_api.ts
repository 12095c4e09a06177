import { type Context, Hono } from "hono";
import { type Address, formatAddress } from "../config/address.ts";
import { describeError } from "../log/describe_error.ts";
import type { Log } from "../log/log.ts";
import { redactText } from "../log/redact.ts";
import { AdminListenError } from "./admin_listen_error.ts";
import {
  ControlError,
  type ControlErrorKind,
  type NodeInfo,
  type RetentionControl,
  type ServerControl,
  type SyncerControl,
} from "./control.ts";
import { envelope, failure, success } from "./envelope.ts";
import { fileStatus, type ListedFile } from "./file_status.ts";
import { clusterOf, membersOf, type NodeStatus } from "./node_status.ts";
import { checkReadiness, type ReadinessCheck } from "./readiness.ts";
import {
  parsePurge,
  parseServerStart,
  parseSyncerStart,
} from "./request_body.ts";
import { readText } from "./read_text.ts";
import { RequestError } from "./request_error.ts";
import {
  type PurgeStatus,
  purgeStatus,
  retentionStatus,
} from "./retention_status.ts";
import { RetentionError } from "../retention/retention_error.ts";
import { serverStatus } from "./server_status.ts";
import { syncerStatus } from "./syncer_status.ts";

/** What the admin API shows and steers. */
export interface AdminApiParts {
  readonly syncer: SyncerControl;
  readonly server: ServerControl;
  readonly retention: RetentionControl;
  /** The files of the log, oldest first; asked anew for each answer. */
  readonly files: () => readonly ListedFile[];
  /** Asked anew for each answer. */
  readonly node: () => NodeInfo;
  readonly log: Log;
}

type Method = "GET" | "POST" | "PUT" | "DELETE";

type Answer = (context: Context) => Response | Promise<Response>;

const STATUS_OF: Readonly<Record<ControlErrorKind, number>> = {
  invalid: 400,
  conflict: 409,
  unavailable: 503,
};

/** How long requests under way may take once the API closes. */
const CLOSE_TIMEOUT_MS = 2000;

const ALONE =
  "kingbus: this node runs alone: clusters are not supported, so members can't be changed";

/**
 * The admin HTTP API: the original kingbus's paths, bodies and envelope, with
 * true causes and statuses. It holds no state of its own.
 */
export class AdminApi implements AsyncDisposable {
  readonly #parts: AdminApiParts;
  readonly #app = new Hono();
  readonly #cutOff = new AbortController();
  /** Requests whose answers are not delivered yet. */
  readonly #underWay = new Set<Promise<void>>();
  #server: Deno.HttpServer<Deno.NetAddr> | undefined;

  constructor(parts: AdminApiParts) {
    this.#parts = parts;
    for (const [path, methods] of this.#routes()) this.#route(path, methods);
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
   */
  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
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

  #accept(
    request: Request,
    completed: Promise<void>,
  ): Response | Promise<Response> {
    if (this.#server === undefined) return failure(503, "kingbus is stopping");
    // Rejects when the client went away before it had its answer.
    const done = completed.catch(() => {}).finally(() =>
      this.#underWay.delete(done)
    );
    this.#underWay.add(done);
    return this.handle(request);
  }

  /** Path by path: which methods it has and what they answer. */
  #routes(): [string, Partial<Record<Method, Answer>>][] {
    const { syncer, server, node } = this.#parts;
    const alone: Answer = () => failure(501, ALONE);
    return [
      ["/cluster", { GET: () => success(clusterOf(node())) }],
      ["/members", {
        GET: () => success(membersOf(node())),
        POST: alone,
        PUT: alone,
        DELETE: alone,
      }],
      ["/admin/url", { PUT: alone }],
      ["/binlog/syncer/start", {
        PUT: async (context) => {
          await syncer.start(parseSyncerStart(await readText(context.req.raw)));
          return success("");
        },
      }],
      ["/binlog/syncer/stop", {
        PUT: async () => {
          await syncer.stop();
          return success("");
        },
      }],
      ["/binlog/syncer/status", {
        GET: () => success(syncerStatus(syncer.report())),
      }],
      ["/binlog/server/start", {
        PUT: async (context) => {
          await server.start(parseServerStart(await readText(context.req.raw)));
          return success("");
        },
      }],
      ["/binlog/server/stop", {
        PUT: async () => {
          await server.stop();
          return success("");
        },
      }],
      ["/binlog/server/status", {
        GET: () => success(serverStatus(server.report())),
      }],
      ["/binlog/files", {
        GET: () => success(this.#parts.files().map(fileStatus)),
      }],
      ["/binlog/purge", {
        PUT: async (context) => success(await this.#purge(context)),
      }],
      ["/binlog/retention/status", {
        GET: () => success(retentionStatus(this.#parts.retention.report())),
      }],
      ["/status", { GET: () => success(this.#status()) }],
      ["/healthz", { GET: () => success({ version: node().version }) }],
      ["/readyz", { GET: () => this.#answerReady() }],
    ];
  }

  #route(path: string, methods: Partial<Record<Method, Answer>>): void {
    for (const [method, answer] of Object.entries(methods)) {
      this.#app.on(method, path, (context) => {
        this.#note(context);
        return answer(context);
      });
    }
    const names = Object.keys(methods);
    const allow = names.flatMap((name) =>
      name === "GET" ? ["GET", "HEAD"] : [name]
    ).join(", ");
    this.#app.all(path, (context) => {
      const message = `${path} takes ${allow}, not ${context.req.method}`;
      return failure(405, message, { allow });
    });
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

  async #purge(context: Context): Promise<PurgeStatus> {
    const { retention, syncer } = this.#parts;
    const { target, ...options } = parsePurge(await readText(context.req.raw));
    const outcome = await retention.purge(target, options);
    return purgeStatus(outcome, {
      dryRun: options.dryRun,
      purged: syncer.report().log.purged,
    });
  }

  #checks(): ReadinessCheck[] {
    const { node, syncer, server } = this.#parts;
    return checkReadiness(node(), syncer.report(), server.report());
  }

  #answerReady(): Response {
    const checks = this.#checks();
    const unready = checks.filter(({ ready }) => !ready);
    if (unready.length === 0) return success({ ready: true, checks });
    const why = unready.map(({ part, detail }) => `${part} ${detail}`);
    return envelope(503, {
      message: `not ready: ${why.join("; ")}`,
      data: { ready: false, checks },
    });
  }

  #status(): NodeStatus {
    const { syncer, server } = this.#parts;
    const node = this.#parts.node();
    const checks = this.#checks();
    return {
      name: node.name,
      version: node.version,
      started_at: node.startedAt.toISOString(),
      ready: checks.every(({ ready }) => ready),
      checks,
      syncer: syncerStatus(syncer.report()),
      server: serverStatus(server.report()),
      store: node.stored,
      retention: retentionStatus(this.#parts.retention.report()),
    };
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

function statusOf(error: unknown): number {
  if (error instanceof RequestError) return error.status;
  if (error instanceof ControlError) return STATUS_OF[error.kind];
  if (error instanceof RetentionError) {
    return error.kind === "unknown-file" ? 404 : 503;
  }
  return 500;
}
