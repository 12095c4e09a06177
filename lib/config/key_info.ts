import * as z from "zod";
import type { ConfigValue } from "./config_value.ts";

/** What is said about a key, to the validator, the flags and the documents. */
export interface KeyInfo {
  /** Kind of value, as the documents name it. */
  readonly type: string;
  /** What it is for. */
  readonly about: string;
  /** What is used when the key is not given, as one would write it. */
  readonly fallback?: string;
  /** What happens without the key, where that is no value. */
  readonly absent?: string;
  /** False for keys that have no flag: lists, and secrets in clear. */
  readonly flag?: false;
}

/** What is said about each validator made here. */
export const KEY_INFO = z.registry<KeyInfo>();

/** A key with a value of its own where none is given. */
export function withDefault<Value>(
  value: ConfigValue<Value>,
  info: KeyInfo & { fallback: string },
): z.ZodPrefault<ConfigValue<Value>> {
  return value.prefault(info.fallback).register(KEY_INFO, info);
}

/** A key that must be given. */
export function required<Value>(
  value: ConfigValue<Value>,
  info: KeyInfo,
): ConfigValue<Value> {
  return value.register(KEY_INFO, info);
}

/** A key that may be left out. */
export function optional<Value>(
  value: ConfigValue<Value>,
  info: KeyInfo & { absent: string },
): z.ZodOptional<ConfigValue<Value>> {
  return value.optional().register(KEY_INFO, info);
}
