import { assertEquals, assertRejects } from "@std/assert";
import { ConfigError } from "../../../lib/config/config_error.ts";
import {
  type ConfigSources,
  loadOptions,
} from "../../../lib/config/load_config.ts";

/** What a configuration is read from in a test. */
export interface Given {
  text?: string;
  flags?: Record<string, string>;
  files?: Record<string, string>;
  env?: Record<string, string>;
}

/** Path of the configuration file of a test. */
export const FILE = "/etc/kingbus.yaml";

/** Where `loadOptions()` finds what is given. */
export function sourcesOf({ text, flags, files, env }: Given): ConfigSources {
  const all: Record<string, string> = { ...files };
  if (text !== undefined) all[FILE] = text;
  return {
    file: text === undefined ? undefined : FILE,
    flags: new Map(Object.entries(flags ?? {})),
    env: (name) => env?.[name],
    readTextFile: (path) => {
      const found = all[path];
      if (found !== undefined) return Promise.resolve(found);
      return Promise.reject(new Deno.errors.NotFound("no such file"));
    },
  };
}

/** The message with which what is given is refused: one line. */
export async function faultOf(given: Given): Promise<string> {
  const error = await assertRejects(
    () => loadOptions(sourcesOf(given)),
    ConfigError,
  );
  assertEquals(error.message.includes("\n"), false, error.message);
  return error.message;
}
