import { type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { ProtocolError } from "../protocol/protocol_error.ts";
import type {
  DumpHandler,
  DumpRequest,
  DumpSession,
} from "../server/dump_handler.ts";
import type { SourceAttempt } from "../syncer/source_attempt.ts";
import { VERSION } from "../version.ts";
import type { Telemetry } from "./telemetry.ts";

/**
 * Spans by the API of OpenTelemetry, which Deno's own exporter implements where
 * `OTEL_DENO` is set; elsewhere they go nowhere.
 *
 * A span is sent when it ends. So an attempt to follow a source is one up to
 * where its log begins to come, not one of weeks; a dump is one from its begin
 * to its end, since only then it is known what it was.
 */
export function openTelemetry(): Telemetry {
  const tracer = trace.getTracer("kingbus", VERSION);
  return {
    attempt(source): SourceAttempt {
      // What comes behind the span's end is not part of it.
      const span = tracer.startSpan("connect source", {
        kind: SpanKind.CLIENT,
        attributes: { "server.address": source },
      });
      return {
        following: () => span.end(),
        failed: (cause, reason) => {
          span.setAttribute("error.type", cause);
          span.setStatus({ code: SpanStatusCode.ERROR, message: reason });
          span.end();
        },
        stopped: () => span.end(),
      };
    },
    dumps: (handler): DumpHandler => ({
      async run(session, request): Promise<void> {
        const span = tracer.startSpan("dump", {
          kind: SpanKind.SERVER,
          attributes: describeDump(session, request),
        });
        try {
          await handler.run(session, request);
        } catch (error) {
          noteError(span, error);
          throw error;
        } finally {
          span.setAttributes({
            "kingbus.file": session.status.file,
            "kingbus.position": session.status.position,
            "kingbus.bytes_sent": Number(session.status.bytesSent),
          });
          span.end();
        }
      },
    }),
  };
}

function describeDump(
  { connectionId, registered, settings }: DumpSession,
  { mode, serverId }: DumpRequest,
): Record<string, string | number> {
  return {
    "kingbus.connection_id": connectionId,
    "kingbus.replica.server_id": registered?.serverId ?? serverId,
    "kingbus.replica.uuid": settings.uuid,
    "kingbus.dump.mode": mode,
  };
}

function noteError(span: Span, error: unknown): void {
  const isOurs = error instanceof ProtocolError;
  const type = isOurs ? String(error.code) : (error as Error).name;
  span.setAttribute("error.type", type);
  span.setStatus({
    code: SpanStatusCode.ERROR,
    message: (error as Error).message,
  });
}
