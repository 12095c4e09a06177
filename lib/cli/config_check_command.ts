import type { ConfigError } from "../config/config_error.ts";
import type { EffectiveValue } from "../config/effective_values.ts";
import { effectiveValues } from "../config/effective_values.ts";
import { inspectConfig } from "../config/inspect_config.ts";
import { loadOptions } from "../config/load_config.ts";
import { type CheckedSource, checkSources } from "./check_source.ts";
import { checkSurroundings } from "./check_surroundings.ts";
import { type Command, JSON_FLAG, wantsJson } from "./command.ts";
import { configFlags, configSources } from "./config_flags.ts";
import { ExitCode } from "./exit_code.ts";
import { type Finding, formatFindings } from "./finding.ts";
import { type FormatOptions, formatOptions } from "./format_options.ts";
import { printable } from "./printable.ts";
import { formatTable, type TableColumn } from "./table.ts";
import { wrapText } from "./wrap_text.ts";

const CONNECT = "connect";

/** What was checked, and what came of it. */
interface ConfigCheck {
  readonly file: string | undefined;
  readonly problems: readonly ConfigError[];
  readonly values: readonly EffectiveValue[];
  readonly surroundings: readonly Finding[];
  readonly sources: readonly CheckedSource[];
}

/** `kingbus config check`. */
export const configCheckCommand: Command = {
  name: "config check",
  summary: "Check the configuration, and the source with --connect",
  about:
    "Reads the configuration as kingbus serve would, with its flags, environment, password and certificate files, and says all that is wrong at once, with file and line. Then it shows every value that is used and where it is from, without secrets, and whether folders and addresses can be used. It leaves nothing behind. With --connect it also logs in at the source and the candidates, and looks at the account's rights and how each writes its log. Exit code 2 when the configuration can't be used, 1 when something around it or a source can't, 0 with warnings.",
  example: "kingbus config check --connect",
  flags: [
    ...configFlags(),
    {
      name: CONNECT,
      value: undefined,
      about:
        "Also log in at the source, and say whether it can be followed. It is not registered at as a replica.",
    },
    JSON_FLAG,
  ],
  restMax: 0,
  json: {
    about: "One document, whatever is found.",
    fields: [
      ["ok", "False when there is a problem; warnings are none."],
      ["file", "The configuration file; null without one."],
      [
        "problems",
        "What is wrong with the configuration: `file`, `line`, `key`, null where not known, and `reason`.",
      ],
      [
        "values",
        "Every key: `key`, `value` (text; null without one), `from` (`default`, `flag` or `file`), and `flag`, or `file` and `line`.",
      ],
      [
        "surroundings",
        "Folders, addresses and files: `level` (`ok`, `warning`, `problem`), `what`, `text`.",
      ],
      [
        "sources",
        "With `--connect`: for each server `address` and `findings`, as in `surroundings`.",
      ],
    ],
  },
  async run(input, terminal): Promise<number> {
    const sources = configSources(input, terminal);
    const { problems, tree, file, origin } = await inspectConfig(sources);
    const usable = problems.length === 0 && tree !== undefined;
    const connects = input.switches.has(CONNECT) && usable;
    const check: ConfigCheck = {
      file: origin?.file,
      problems,
      values: tree === undefined || file === undefined || origin === undefined
        ? []
        : effectiveValues(tree, file, origin),
      surroundings: tree === undefined ? [] : await checkSurroundings(tree),
      sources: connects
        ? await checkSources(await loadOptions(sources), Date.now)
        : [],
    };
    if (wantsJson(input)) terminal.out(`${JSON.stringify(toJson(check))}\n`);
    else {
      const options = formatOptions(terminal);
      terminal.out(`${formatCheck(check, options).join("\n")}\n`);
    }
    if (!usable) return ExitCode.USAGE;
    return isFine(check) ? ExitCode.DONE : ExitCode.FAILED;
  },
};

function isFine({ problems, surroundings, sources }: ConfigCheck): boolean {
  const findings = [
    ...surroundings,
    ...sources.flatMap((source) => source.findings),
  ];
  return problems.length === 0 &&
    findings.every(({ level }) => level !== "problem");
}

function toJson(check: ConfigCheck): Record<string, unknown> {
  return {
    ok: isFine(check),
    file: check.file ?? null,
    problems: check.problems.map(({ file, line, key, reason }) => ({
      file: file ?? null,
      line: line ?? null,
      key: key ?? null,
      reason,
    })),
    values: check.values.map(({ key, value, origin }) => ({
      key,
      value: value ?? null,
      from: origin?.kind ?? "default",
      ...origin?.kind === "flag" ? { flag: `--${origin.flag}` } : {},
      ...origin?.kind === "file"
        ? { file: origin.file, line: origin.line ?? null }
        : {},
    })),
    surroundings: check.surroundings,
    sources: check.sources,
  };
}

const COLUMNS: readonly TableColumn<EffectiveValue>[] = [
  { title: "KEY", text: ({ key }) => key },
  { title: "VALUE", text: ({ value }) => value ?? "-", min: 12 },
  { title: "FROM", text: describeOrigin, min: 12 },
];

function describeOrigin({ origin }: EffectiveValue): string {
  if (origin === undefined) return "default";
  if (origin.kind === "flag") return `--${origin.flag}`;
  const { file, line } = origin;
  return line === undefined ? file : `${file}:${line}`;
}

function formatCheck(check: ConfigCheck, options: FormatOptions): string[] {
  const { style, width } = options;
  const { problems, values, surroundings, sources } = check;
  const lines: string[] = [];
  if (values.length > 0) {
    lines.push(...formatTable(values, COLUMNS, options), "");
  }
  if (surroundings.length > 0) {
    lines.push(...formatFindings(surroundings, options), "");
  }
  for (const { address, findings } of sources) {
    lines.push(style.strong(`source ${printable(address)}`));
    lines.push(...formatFindings(findings, options), "");
  }
  for (const { message } of problems) {
    lines.push(
      ...wrapText(printable(message), width).map((line) => style.bad(line)),
    );
  }
  const findings = [...surroundings, ...sources.flatMap((one) => one.findings)];
  const count = (level: Finding["level"]) =>
    findings.filter((finding) => finding.level === level).length;
  const wrong = problems.length + count("problem");
  const counted = [
    wrong === 1 ? "1 problem" : `${wrong} problems`,
    count("warning") === 1 ? "1 warning" : `${count("warning")} warnings`,
  ].join(", ");
  const where = check.file === undefined
    ? "the configuration without a file"
    : check.file;
  const verdict = `${where}: ${
    wrong === 0 ? "can be used" : "can't be used"
  }, ${counted}`;
  lines.push(wrong === 0 ? style.good(verdict) : style.bad(verdict));
  return lines;
}
