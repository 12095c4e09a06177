import { createHash } from "node:crypto";

/**
 * What a part is meant to do, kept in the store so that a restart resumes it.
 * Secrets are in here in clear, as they are in the configuration: the store is
 * readable by kingbus's user alone.
 */
export interface Intent<Target> {
  /** Whether it is meant to run. */
  readonly run: boolean;
  /** With what; undefined: nothing was ever given. */
  readonly target: Target | undefined;
  /** Fingerprint of what the configuration said when this was noted. */
  readonly configured: string;
}

/** What to do at a start. */
export interface IntentChoice<Target> {
  readonly intent: Intent<Target>;
  /** What was asked for before, when the configuration takes its place. */
  readonly replaced: Intent<Target> | undefined;
}

/** What the configuration says. */
export interface ConfiguredIntent<Target> {
  readonly run: boolean;
  readonly target: Target | undefined;
  /** Changes when the operator changes what an intent may override. */
  readonly fingerprint: string;
}

/**
 * Decides between what was last asked for and the configuration. What was asked
 * for, a stop included, holds over restarts until the configuration says
 * something else than it did then: its newest word is the operator's newest.
 *
 * | stored intent | configuration since then | chosen |
 * |---|---|---|
 * | none | | the configuration |
 * | some | unchanged | the stored intent |
 * | some | changed | the configuration |
 */
export function chooseIntent<Target>(
  stored: Intent<Target> | undefined,
  configured: ConfiguredIntent<Target>,
): IntentChoice<Target> {
  const { run, target, fingerprint } = configured;
  if (stored?.configured === fingerprint) {
    return { intent: stored, replaced: undefined };
  }
  return { intent: { run, target, configured: fingerprint }, replaced: stored };
}

/** A text that is the same for the same values only, and tells none of them. */
export function fingerprintOf(values: unknown): string {
  const text = JSON.stringify(values) ?? "none";
  return createHash("sha256").update(text).digest("hex");
}
