import { CONFIG_SECTIONS, type ConfigSection } from "./config_schema.ts";
import { KEY_INFO, type KeyInfo } from "./key_info.ts";
import type { KeyPath } from "./key_line.ts";

/** One key of the configuration. */
export interface ConfigKey {
  /** Way to it; `[]` stands for a list's members. */
  readonly path: readonly string[];
  /** As the documents write it: `server.users[].name`. */
  readonly name: string;
  /** Its flag without the dashes, if it has one: `source-address`. */
  readonly flag: string | undefined;
  readonly info: KeyInfo;
}

/** Every key, section by section. */
export function listConfigKeys(): ConfigKey[] {
  return CONFIG_SECTIONS.flatMap(listSectionKeys);
}

/** The keys of one section. */
export function listSectionKeys(section: ConfigSection): ConfigKey[] {
  return Object.entries(section.shape).flatMap(([key, schema]) => {
    const info = KEY_INFO.get(schema);
    if (info === undefined) return [];
    const path = [...section.path, key];
    const flag = info.flag === false ? undefined : path.join("-");
    return [{ path, name: formatKeyPath(path), flag, info }];
  });
}

/** The names that may stand where `path` leads to; none if it is no section. */
export function knownNames(path: KeyPath): string[] {
  const wanted = path.map((segment) =>
    typeof segment === "number" ? "[]" : segment
  );
  const depth = wanted.length;
  const names = CONFIG_SECTIONS.flatMap((section) => {
    const inside = wanted.every((segment, at) => section.path[at] === segment);
    if (!inside) return [];
    if (section.path.length === depth) return Object.keys(section.shape);
    return section.path[depth] === "[]" ? [] : [section.path[depth]!];
  });
  return [...new Set(names)];
}

/** `["server", "users", 0, "name"]` as `server.users[0].name`. */
export function formatKeyPath(path: KeyPath): string {
  return path.map((segment, at) => {
    if (typeof segment === "number") return `[${segment}]`;
    if (segment === "[]") return segment;
    return at === 0 ? segment : `.${segment}`;
  }).join("");
}
