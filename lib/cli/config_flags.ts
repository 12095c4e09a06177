import { listConfigKeys } from "../config/config_key.ts";
import { CONFIG_FILE_VARIABLE } from "../config/load_config.ts";
import type { ConfigSources } from "../config/load_config.ts";
import type { CommandFlag, CommandInput, Completion } from "./command.ts";
import type { Terminal } from "./terminal.ts";

const CONFIG_FLAG = "config";
const DATA_DIR_FLAG = "data-dir";

/** `--config` and the flag of every key that has one. */
export function configFlags(): CommandFlag[] {
  const keys = listConfigKeys().flatMap(({ flag, info }): CommandFlag[] => {
    if (flag === undefined) return [];
    const fallback = info.fallback === undefined ? "" : ` [${info.fallback}]`;
    const about = `${info.about}${fallback}`.replaceAll("`", "");
    const value = valueName(info.type);
    const completion = completionOf(flag, info.type, value);
    return [{
      name: flag,
      value,
      about,
      ...completion === undefined ? {} : { completion },
    }];
  });
  return [configFileFlag(), ...keys];
}

/** The flags of some keys, by their names. */
export function someConfigFlags(...names: string[]): CommandFlag[] {
  return configFlags().filter(({ name }) => names.includes(name));
}

/** The flags that name a store: `--config` and `--data-dir`. */
export function storeFlags(): CommandFlag[] {
  return [configFileFlag(), ...someConfigFlags(DATA_DIR_FLAG)];
}

/** `--config` alone. */
export function configFileFlag(): CommandFlag {
  return {
    name: CONFIG_FLAG,
    value: "FILE",
    completion: "file",
    about:
      `The configuration, in YAML. Without it the file ${CONFIG_FILE_VARIABLE} names, if it is set.`,
  };
}

/** What a shell completes the value of a key's flag with. */
function completionOf(
  flag: string,
  type: string,
  value: string,
): Completion | undefined {
  if (type === "boolean") return ["true", "false"];
  if (type === "path") {
    return /dir(ectory)?$/.test(flag) ? "folder" : "file";
  }
  const isChoice = value.includes("|") && !/[A-Z]/.test(value);
  return isChoice ? value.split("|") : undefined;
}

/** Where the configuration of a command line comes from. */
export function configSources(
  { values }: CommandInput,
  terminal: Terminal,
): ConfigSources {
  const keys = new Set(listConfigKeys().map(({ flag }) => flag));
  const flags = new Map([...values].filter(([name]) => keys.has(name)));
  const { env, readTextFile } = terminal;
  return { file: values.get(CONFIG_FLAG), flags, env, readTextFile };
}

/** `` `text` or `json` `` becomes `text|json`, `address` becomes `ADDRESS`. */
function valueName(type: string): string {
  const words = type.replace(" a GTID set", "GTID-SET").match(/[\w-]+/g) ?? [];
  if (!type.includes("`")) return type.toUpperCase();
  return words.filter((word) => word !== "or").join("|");
}
