import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../../lib/cli/commands.ts";
import {
  formatCompletions,
  type Shell,
} from "../../../lib/cli/format_completions.ts";
import { helpCommand } from "../../../lib/cli/help_command.ts";

const ALL = [...COMMANDS, helpCommand(COMMANDS)];

/** Whether the shell is there; says loudly where it is not. */
async function has(shell: Shell): Promise<boolean> {
  try {
    await new Deno.Command(shell, { args: ["--version"], stdout: "null" })
      .output();
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.error(`SKIPPED "completions for ${shell}": no program ${shell}`);
    return false;
  }
}

/** Runs a script in a folder of its own that has the completions in it. */
async function runIn(
  shell: Shell,
  args: readonly string[],
  script: string,
): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "kingbus-completions-" });
  try {
    const text = formatCompletions(shell, ALL);
    await Deno.writeTextFile(`${folder}/completions`, text);
    await Deno.writeTextFile(`${folder}/binlog.000001`, "");
    await Deno.mkdir(`${folder}/backup`);
    await Deno.writeTextFile(`${folder}/script`, script);
    const { stdout, stderr, code } = await new Deno.Command(shell, {
      args: [...args, "script"],
      cwd: folder,
      env: { HOME: folder, TERM: "xterm" },
      stdin: "null",
    }).output();
    const errors = new TextDecoder().decode(stderr);
    assertEquals([code, errors], [0, ""], errors);
    return new TextDecoder().decode(stdout);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Words typed, of which the last is completed, and what comes of it. */
const CASES: readonly (readonly [string, string])[] = [
  ["kingbus ver", "verify version"],
  ["kingbus sou", "source"],
  ["kingbus source st", "start status stop"],
  ["kingbus source start --pass", "--password-env --password-file"],
  ["kingbus server sto", "stop"],
  ["kingbus replicas ", "kick"],
  ["kingbus replicas kick --tok", "--token-file"],
  ["kingbus config ch", "check"],
  ["kingbus config check --conn", "--connect"],
  ["kingbus status --wat", "--watch"],
  ["kingbus status --color ", "always auto never"],
  ["kingbus --log-format ", "json text"],
  ["kingbus --log-lev", "--log-level"],
  ["kingbus completions z", "zsh"],
  ["kingbus help comp", "completions"],
  ["kingbus status --admin a:1 --int", "--interval"],
];

Deno.test({
  name: "bash completes what kingbus completions bash prints",
  ignore: !await has("bash"),
  async fn() {
    const lines = CASES.map(([line]) =>
      `complete_line ${line.split(" ").map((word) => `'${word}'`).join(" ")}`
    );
    const output = await runIn(
      "bash",
      ["--norc"],
      `source ./completions
compopt() { :; }
complete_line() {
  COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); COMPREPLY=()
  _kingbus; printf '%s\\n' "\${COMPREPLY[@]}" | sort | paste -sd ' '
}
${lines.join("\n")}
complete_line kingbus --log-level = w
complete_line kingbus export --to b
complete_line kingbus import b
complete -p kingbus
`,
    );
    assertEquals(output.trimEnd().split("\n"), [
      ...CASES.map(([, words]) => words),
      "warn",
      "backup",
      "backup binlog.000001",
      "complete -F _kingbus kingbus",
    ]);
  },
});

Deno.test({
  name: "fish completes what kingbus completions fish prints",
  ignore: !await has("fish"),
  async fn() {
    const lines = CASES.map(([line]) =>
      `complete -C '${line}' | string replace -r '\\t.*' '' | sort | string join ' '`
    );
    const output = await runIn(
      "fish",
      ["--no-config"],
      `source ./completions\n${lines.join("\n")}\ntrue\n`,
    );
    assertEquals(
      output.trimEnd().split("\n"),
      CASES.map(([, words]) => words),
    );
  },
});

Deno.test({
  name: "zsh completes what kingbus completions zsh prints",
  ignore: !await has("zsh"),
  async fn() {
    // Where there is one way to go on, TAB puts it onto the line.
    const single = CASES.filter(([, words]) => !words.includes(" "));
    // An answer is awaited, however long a loaded machine takes for it.
    const output = await runIn(
      "zsh",
      ["-f"],
      `zmodload zsh/zpty
zpty shell 'zsh -f -i'
await() {
  local all="" chunk at
  for ((at = 0; at < 600; at++)); do
    while zpty -r -t shell chunk; do all+="$chunk"; done
    [[ $all == *"$1"* ]] && { print -r -- "\${(qqqq)all}"; return }
    sleep 0.05
  done
  print -r -- "never: $1: \${(qqqq)all}"
}
zpty -w shell 'PS1=; autoload -U compinit; compinit -u -d ./dump; source ./completions; unsetopt list_beep; print RE''ADY'
await READY
${
        single.map(([line, word]) =>
          `zpty -w -n shell $'\\x15${line}\\t'; await '${
            line.replace(/\S*$/, "")
          }${word}'`
        ).join("\n")
      }
zpty -d shell
`,
    );
    for (const line of output.trimEnd().split("\n")) {
      assert(!line.startsWith("never"), line);
    }
  },
});

Deno.test("formatCompletions() has every command and flag for every shell", () => {
  for (const shell of ["bash", "zsh", "fish"] as const) {
    const text = formatCompletions(shell, ALL);
    for (const { name, flags } of ALL) {
      for (const word of name.split(" ")) assertStringIncludes(text, word);
      for (const flag of flags) {
        assertStringIncludes(
          text,
          shell === "fish" ? `-l ${flag.name}` : `--${flag.name}`,
        );
      }
    }
  }
});
