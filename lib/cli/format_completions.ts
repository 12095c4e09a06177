import type { Command, CommandFlag, Completion } from "./command.ts";
import { GENERAL_FLAGS } from "./parse_command_line.ts";

/** Shells that can be taught. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** One of {@linkcode SHELLS}. */
export type Shell = typeof SHELLS[number];

/** A script that makes a shell complete all commands, flags and values. */
export function formatCompletions(
  shell: Shell,
  commands: readonly Command[],
): string {
  switch (shell) {
    case "bash":
      return formatBash(commands);
    case "zsh":
      return formatZsh(commands);
    case "fish":
      return formatFish(commands);
  }
}

/** A word that names a command, and what may come behind it. */
interface Word {
  readonly word: string;
  readonly summary: string;
  /** Undefined for a word that is only the first one of others. */
  readonly command: Command | undefined;
  readonly seconds: readonly Command[];
}

function wordsOf(commands: readonly Command[]): Word[] {
  const firsts = new Set(commands.map(({ name }) => name.split(" ")[0]!));
  return [...firsts].map((word) => {
    const command = commands.find(({ name }) => name === word);
    const seconds = commands.filter(({ name }) => name.startsWith(`${word} `));
    const summary = command?.summary ??
      seconds.map(({ name }) => name.split(" ")[1]).join(", ");
    return { word, summary, command, seconds };
  });
}

function flagsOf(command: Command): readonly CommandFlag[] {
  return [...command.flags, ...GENERAL_FLAGS];
}

/** Names of all flags that take a value. */
function valuedNames(commands: readonly Command[]): string[] {
  const flags = commands.flatMap(flagsOf);
  return [
    ...new Set(
      flags.filter(({ value }) => value !== undefined).map(({ name }) => name),
    ),
  ];
}

/** What bash puts into COMPREPLY. */
function bashReply(completion: Completion | undefined): string {
  if (completion === undefined) return "COMPREPLY=()";
  if (completion === "file") {
    return `compopt -o filenames; COMPREPLY=($(compgen -f -- "$word"))`;
  }
  if (completion === "folder") {
    return `compopt -o filenames; COMPREPLY=($(compgen -d -- "$word"))`;
  }
  return `COMPREPLY=($(compgen -W '${completion.join(" ")}' -- "$word"))`;
}

function formatBash(commands: readonly Command[]): string {
  const words = wordsOf(commands);
  const valued = valuedNames(commands);
  const firsts = words.map(({ word }) => word).join(" ");
  return `# bash completion of kingbus: source <(kingbus completions bash)
_kingbus() {
  local word="\${COMP_WORDS[COMP_CWORD]}" previous="" command="" flags="" at
  # bash cuts --flag=value into three words
  if [[ $word == "=" ]]; then word=""; previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  elif ((COMP_CWORD > 1)) && [[ \${COMP_WORDS[COMP_CWORD - 1]} == "=" ]]; then
    previous="\${COMP_WORDS[COMP_CWORD - 2]}"
  else previous="\${COMP_WORDS[COMP_CWORD - 1]}"; fi
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "\${COMP_WORDS[at]}" in
      ${valued.map((name) => `--${name}`).join(" | ")})
        [[ \${COMP_WORDS[at + 1]} == "=" ]] && ((at++))
        ((at++)) ;;
      -*) ;;
      *)
        case "$command" in
          "") command="\${COMP_WORDS[at]}" ;;
          ${
    words.filter(({ seconds }) => seconds.length > 0)
      .map(({ word }) => word).join(" | ")
  }) command="$command \${COMP_WORDS[at]}" ;;
        esac ;;
    esac
  done
  case "$command $previous" in
${valued.map((name) => bashValue(name, commands)).join("\n")}
  esac
  case "$command" in
    "")
      flags="${flagWords(commands[0]!)}"
      [[ $word == -* ]] || { COMPREPLY=($(compgen -W '${firsts}' -- "$word")); return; } ;;
${
    words.flatMap(({ word, command, seconds }) => {
      const names = seconds.map(({ name }) => name.split(" ")[1]).join(" ");
      const entry = seconds.length === 0 ? [] : [
        `    "${word}")
      flags="${command === undefined ? "--help" : flagWords(command)}"
      [[ $word == -* ]] || { COMPREPLY=($(compgen -W '${names}' -- "$word")); return; } ;;`,
      ];
      const own = seconds.length === 0 && command !== undefined
        ? [command]
        : [];
      return [...entry, ...[...own, ...seconds].map(bashCommand)];
    }).join("\n")
  }
  esac
  COMPREPLY=($(compgen -W "$flags" -- "$word"))
}
complete -F _kingbus kingbus
`;
}

/** What completes the value of a flag, command by command if they differ. */
function bashValue(name: string, commands: readonly Command[]): string {
  const replies = commands.flatMap((command) => {
    const flag = flagsOf(command).find((one) => one.name === name);
    return flag === undefined
      ? []
      : [[command.name, bashReply(flag.completion)] as const];
  });
  const [first, ...others] = replies.map(([, reply]) => reply);
  if (others.every((reply) => reply === first)) {
    return `    *" --${name}") ${first}; return ;;`;
  }
  return replies.map(([command, reply]) =>
    `    "${command} --${name}") ${reply}; return ;;`
  ).join("\n");
}

function bashCommand(command: Command): string {
  const reply = command.completion === undefined
    ? ""
    : `\n      [[ $word == -* ]] || { ${
      bashReply(command.completion)
    }; return; }`;
  return `    "${command.name}")
      flags="${flagWords(command)}"${reply} ;;`;
}

function flagWords(command: Command): string {
  return flagsOf(command).map(({ name }) => `--${name}`).join(" ");
}

/** In single quotes, as every shell here takes it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The first sentence of a flag's description. */
function shortAbout(about: string): string {
  return (/^.*?[.;:](?=\s|$)/.exec(about)?.[0] ?? about).replace(/[.;:]$/, "");
}

function zshAction(completion: Completion | undefined): string {
  if (completion === undefined) return " ";
  if (completion === "file") return "_files";
  if (completion === "folder") return "_files -/";
  return `(${completion.join(" ")})`;
}

function zshFlag({ name, value, about, completion }: CommandFlag): string {
  const text = shortAbout(about).replaceAll(/[[\]:]/g, "\\$&");
  return value === undefined ? quoted(`--${name}[${text}]`) : quoted(
    `--${name}=[${text}]:${value.toLowerCase().replaceAll(":", "\\:")}:${
      zshAction(completion)
    }`,
  );
}

function zshArguments(command: Command, indent: string): string {
  const rest = command.completion === undefined
    ? []
    : [quoted(`*:argument:${zshAction(command.completion)}`)];
  return [`_arguments -s`, ...flagsOf(command).map(zshFlag), ...rest]
    .join(` \\\n${indent}  `);
}

function formatZsh(commands: readonly Command[]): string {
  const words = wordsOf(commands);
  const describe = (
    name: string,
    list: readonly (readonly [string, string])[],
  ) =>
    `local -a ${name}=(\n${
      list.map(([word, summary]) =>
        `    ${quoted(`${word}:${summary.replaceAll(":", "\\:")}`)}`
      ).join("\n")
    }\n  )`;
  return `#compdef kingbus
# zsh completion of kingbus: source <(kingbus completions zsh), behind compinit
_kingbus() {
  local context state state_descr line
  typeset -A opt_args
  ${describe("commands", words.map(({ word, summary }) => [word, summary]))}
  if ((CURRENT == 2)) && [[ $words[2] != -* ]]; then
    _describe -t commands command commands
    return
  fi
  local name="$words[2]"
  case "$name" in
${
    words.filter(({ seconds }) => seconds.length > 0).map(({ word, seconds }) =>
      `    ${word})
      if ((CURRENT == 3)) && [[ $words[3] != -* ]]; then
        ${
        describe(
          "seconds",
          seconds.map(({ name, summary }) => [name.split(" ")[1]!, summary]),
        ).replaceAll("\n", "\n      ")
      }
        _describe -t commands command seconds
        return
      fi
      if [[ $words[3] != -* ]]; then
        name="$name $words[3]"
        words[2]=()
        ((CURRENT--))
      fi ;;`
    ).join("\n")
  }
  esac
  words[1]=()
  ((CURRENT--))
  case "$name" in
${
    commands.map((command) =>
      `    ${quoted(command.name)})
      ${zshArguments(command, "      ")} ;;`
    ).join("\n")
  }
    *)
      ((CURRENT++))
      words=(kingbus "$words[@]")
      ${zshArguments(commands[0]!, "      ")} ;;
  esac
}
if [[ $funcstack[1] == _kingbus ]]; then _kingbus "$@"; else compdef _kingbus kingbus; fi
`;
}

function fishValue(completion: Completion | undefined): string {
  if (completion === "file") return "-r -F";
  if (completion === "folder") {
    return "-x -a '(__fish_complete_directories)'";
  }
  return completion === undefined
    ? "-x"
    : `-x -a ${quoted(completion.join(" "))}`;
}

function formatFish(commands: readonly Command[]): string {
  const words = wordsOf(commands);
  const firsts = words.map(({ word }) => word).join(" ");
  const lines = words.map(({ word, summary }) =>
    `complete -c kingbus -n "not __fish_seen_subcommand_from ${firsts}" -f -a ${word} -d ${
      quoted(summary)
    }`
  );
  for (const { word, command, seconds } of words) {
    const names = seconds.map(({ name }) => name.split(" ")[1]!);
    const alone = seconds.length === 0
      ? `__fish_seen_subcommand_from ${word}`
      : `__fish_seen_subcommand_from ${word}; and not __fish_seen_subcommand_from ${
        names.join(" ")
      }`;
    for (const [at, second] of seconds.entries()) {
      lines.push(
        `complete -c kingbus -n "${alone}" -f -a ${names[at]} -d ${
          quoted(second.summary)
        }`,
      );
      lines.push(
        ...fishCommand(
          second,
          `__fish_seen_subcommand_from ${word}; and __fish_seen_subcommand_from ${
            names[at]
          }`,
        ),
      );
    }
    if (command !== undefined) lines.push(...fishCommand(command, alone));
  }
  const first = commands[0]!;
  lines.push(
    ...fishCommand(first, `not __fish_seen_subcommand_from ${firsts}`),
  );
  return `# fish completion of kingbus: ~/.config/fish/completions/kingbus.fish
complete -c kingbus -f
${lines.join("\n")}
`;
}

function fishCommand(command: Command, condition: string): string[] {
  const flags = flagsOf(command).map(({ name, value, about, completion }) =>
    [
      `complete -c kingbus -n "${condition}" -l ${name}`,
      ...value === undefined ? [] : [fishValue(completion)],
      `-d ${quoted(shortAbout(about))}`,
    ].join(" ")
  );
  const { completion } = command;
  if (completion === undefined) return flags;
  const what = completion === "file" || completion === "folder"
    ? "-F"
    : `-f -a ${quoted(completion.join(" "))}`;
  return [...flags, `complete -c kingbus -n "${condition}" ${what}`];
}
