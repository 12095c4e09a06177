import { formatAddress } from "./address.ts";
import type { Address } from "./address.ts";
import {
  type ConfigKey,
  formatKeyPath,
  listSectionKeys,
} from "./config_key.ts";
import type { ConfigOrigin, ValueOrigin } from "./config_origin.ts";
import { CONFIG_SECTIONS, type ConfigTree } from "./config_schema.ts";
import { formatDuration } from "./duration.ts";
import type { KeyPath } from "./key_line.ts";
import { valueAt } from "./load_config.ts";
import { formatSize } from "./size.ts";

/** One key with the value that is used. */
export interface EffectiveValue {
  /** As messages name it: `server.users[0].name`. */
  readonly key: string;
  /** As one would write it; undefined: there is none. Secrets are hidden. */
  readonly value: string | undefined;
  /** Where it came from; undefined: it is the default. */
  readonly origin: ValueOrigin | undefined;
}

/** In the place of a secret. */
const HIDDEN = "(hidden)";

/**
 * Every key of a configuration with the value that is used, and where that came
 * from. Nothing in it is secret: passwords in clear are left out, and of others
 * only where they are kept is said.
 *
 * @param file what the file says, unvalidated
 */
export function effectiveValues(
  tree: ConfigTree,
  file: Readonly<Record<string, unknown>>,
  origin: ConfigOrigin,
): EffectiveValue[] {
  return CONFIG_SECTIONS.flatMap((section) =>
    placesOf(section.path, tree).flatMap((place) =>
      listSectionKeys(section).flatMap((key): EffectiveValue[] => {
        const path = [...place, key.path.at(-1)!];
        const value = valueAt(tree, path);
        // A list of sections is told by its members.
        if (isSectionList(key, value)) return [];
        const isInFile = valueAt(file, path) !== undefined;
        return [{
          key: formatKeyPath(path),
          value: formatValue(key, value),
          origin: origin.of(path, isInFile),
        }];
      })
    )
  );
}

/** Where a section is, for each member where it is one of a list's. */
function placesOf(section: readonly string[], tree: ConfigTree): KeyPath[] {
  const list = section.indexOf("[]");
  if (list < 0) {
    const isThere = section.length === 0 ||
      valueAt(tree, section) !== undefined;
    return isThere ? [section] : [];
  }
  const path = section.slice(0, list);
  const members = valueAt(tree, path);
  return Array.isArray(members) ? members.map((_, at) => [...path, at]) : [];
}

function isSectionList({ info }: ConfigKey, value: unknown): boolean {
  return info.type === "list" && Array.isArray(value) && value.length > 0;
}

function formatValue(
  { path, info }: ConfigKey,
  value: unknown,
): string | undefined {
  if (value === undefined) return undefined;
  if (path.at(-1) === "password") return HIDDEN;
  if (Array.isArray(value)) {
    return `[${value.map((one) => formatScalar(info.type, one)).join(", ")}]`;
  }
  return formatScalar(info.type, value);
}

function formatScalar(type: string, value: unknown): string {
  if (typeof value === "number" && type === "duration") {
    return formatDuration(value);
  }
  if (typeof value === "number" && type === "size") return formatSize(value);
  if (isAddress(value)) return formatAddress(value);
  return String(value);
}

function isAddress(value: unknown): value is Address {
  return typeof value === "object" && value !== null && "hostname" in value &&
    "port" in value;
}
