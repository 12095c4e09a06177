/** The only version of OpenMetrics there is to be had. */
const OPEN_METRICS = /^application\/openmetrics-text\s*(;|$)/i;
const TEXT = /^(text\/plain|text\/\*|\*\/\*)\s*(;|$)/i;
const VERSION = /;\s*version=([^;\s]+)/i;
const QUALITY = /;\s*q=([\d.]+)/i;

/**
 * Whether an `Accept` header would rather have OpenMetrics 1.0 than Prometheus's
 * older text format, which is for everybody else.
 */
export function prefersOpenMetrics(accept: string): boolean {
  let openMetrics = 0;
  let text = 0;
  for (const range of accept.split(",").map((part) => part.trim())) {
    const quality = Number(QUALITY.exec(range)?.[1] ?? 1);
    const version = VERSION.exec(range)?.[1] ?? "1.0.0";
    if (OPEN_METRICS.test(range) && version === "1.0.0") {
      openMetrics = Math.max(openMetrics, quality);
    } else if (TEXT.test(range)) text = Math.max(text, quality);
  }
  return openMetrics > 0 && openMetrics >= text;
}
