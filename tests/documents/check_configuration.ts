import { parse as parseYaml, stringify as stringifyYaml } from "@std/yaml";
import { loadConfig } from "../../lib/config/load_config.ts";

/** What has to be given in a section besides what a document is about. */
const SOURCE: Readonly<Record<string, unknown>> = {
  address: "db1:3306",
  user: "kingbus",
};

/** One of them is given for each password. */
const PASSWORD_KEYS = ["password", "password-file", "password-env"];

/**
 * Has the loader of configurations check YAML of a document.
 *
 * @param whole Whether it is all of a configuration; where it is some keys of
 * one, those that must be given with them are added.
 * @throws {ConfigError} which says what is wrong.
 */
export async function checkConfiguration(
  text: string,
  whole: boolean,
): Promise<void> {
  const checked = whole ? text : stringifyYaml(completed(parseYaml(text)));
  await loadConfig({
    file: "kingbus.yaml",
    flags: new Map(),
    env: () => undefined,
    readTextFile: () => Promise.resolve(checked),
  });
}

function completed(given: unknown): Record<string, unknown> {
  if (!isSection(given)) throw new TypeError("this YAML has no keys");
  const { source } = given;
  if (!isSection(source)) return given;
  const hasPassword = PASSWORD_KEYS.some((key) => key in source);
  const password = hasPassword ? {} : { password: "secret" };
  return { ...given, source: { ...SOURCE, ...password, ...source } };
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
