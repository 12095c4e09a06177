import type * as z from "zod";
import { type ConfigValue, pathValue } from "./config_value.ts";
import { type KeyInfo, optional } from "./key_info.ts";

/** A key for a file or folder that may be left out. */
export function optionalPath(
  info: Omit<KeyInfo, "type"> & { absent: string },
): z.ZodOptional<ConfigValue<string>> {
  return optional(pathValue(), { type: "path", ...info });
}
