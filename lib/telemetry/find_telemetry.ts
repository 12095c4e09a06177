import type { Telemetry } from "./telemetry.ts";

/** Where the API of OpenTelemetry 1.x looks for what implements it. */
const REGISTERED = Symbol.for("opentelemetry.js.api.1");

/**
 * What watches kingbus, if Deno exports traces: it has registered itself with
 * the API then, before the program began. Otherwise nothing is loaded.
 */
export async function findTelemetry(): Promise<Telemetry | undefined> {
  const { [REGISTERED]: api } = globalThis as {
    [REGISTERED]?: { trace?: unknown };
  };
  if (api?.trace === undefined) return undefined;
  const { openTelemetry } = await import("./open_telemetry.ts");
  return openTelemetry();
}
