import { waitUntil } from "../../scripts/test_servers/wait_until.ts";

/** A value of an attribute, as OTLP has it in JSON. */
type AttributeValue = Readonly<Record<string, unknown>>;

interface Attribute {
  readonly key: string;
  readonly value: AttributeValue;
}

/** A span that has arrived. */
export interface CollectedSpan {
  /** Who made it: `deno` or `kingbus`. */
  readonly scope: string;
  readonly name: string;
  /** 2 of a server, 3 of a client. */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** 0 unset, 1 ok, 2 error. */
  readonly status: number;
  readonly id: string;
  /** Empty for the first one of a trace. */
  readonly parent: string;
}

interface ScopedSpans {
  readonly scope: { readonly name: string };
  readonly spans: readonly {
    readonly spanId: string;
    readonly parentSpanId?: string;
    readonly name: string;
    readonly kind: number;
    readonly attributes?: readonly Attribute[];
    readonly status?: { readonly code?: number };
  }[];
}

interface ScopedMetrics {
  readonly metrics: readonly { readonly name: string }[];
}

/** What OTLP over HTTP carries, as far as it is looked at. */
interface OtlpBody {
  readonly resourceSpans?: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly ScopedSpans[];
  }[];
  readonly resourceMetrics?: readonly {
    readonly scopeMetrics: readonly ScopedMetrics[];
  }[];
  readonly resourceLogs?: readonly unknown[];
}

/** A collector of OpenTelemetry on loopback that takes OTLP as JSON by HTTP. */
export class OtlpCollector implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly spans: CollectedSpan[] = [];
  readonly metrics = new Set<string>();
  /** Attributes of the process that has sent the newest spans. */
  readonly resource: Record<string, unknown> = {};
  logs = 0;

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#take(request),
    );
  }

  /** Variables that have a process send to it. */
  get env(): Record<string, string> {
    return {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.#server.addr.port}`,
      OTEL_METRIC_EXPORT_INTERVAL: "500",
      OTEL_SERVICE_NAME: "kingbus",
    };
  }

  /** Waits until a span has come that is as wanted, and gives it. */
  async span(
    what: string,
    isWanted: (span: CollectedSpan) => boolean,
  ): Promise<CollectedSpan> {
    await waitUntil(what, () => this.spans.some(isWanted), {
      deadlineMs: 30_000,
      intervalMs: 50,
    });
    return this.spans.find(isWanted)!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #take(request: Request): Promise<Response> {
    const body: OtlpBody = await request.json();
    for (const { resource, scopeSpans } of body.resourceSpans ?? []) {
      Object.assign(this.resource, plain(resource.attributes));
      for (const { scope, spans } of scopeSpans) {
        this.spans.push(...spans.map((span) => ({
          scope: scope.name,
          name: span.name,
          kind: span.kind,
          attributes: plain(span.attributes ?? []),
          status: span.status?.code ?? 0,
          id: span.spanId,
          parent: span.parentSpanId ?? "",
        })));
      }
    }
    for (const { scopeMetrics } of body.resourceMetrics ?? []) {
      for (const { metrics } of scopeMetrics) {
        for (const { name } of metrics) this.metrics.add(name);
      }
    }
    this.logs += body.resourceLogs?.length ?? 0;
    return Response.json({});
  }
}

function plain(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, Object.values(value)[0]]),
  );
}
