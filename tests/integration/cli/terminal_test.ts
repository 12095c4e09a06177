import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { unicodeWidth } from "@std/cli";
import { freePort } from "../../../scripts/test_servers/free_port.ts";
import {
  KingbusProcess,
  kingbusProgram,
} from "../../support/kingbus_process.ts";
import { PseudoTerminal, shellCommand } from "../../support/pseudo_terminal.ts";

const hasTerminal = await PseudoTerminal.isThere();
if (!hasTerminal) {
  console.error('SKIPPED "kingbus on a terminal": no util-linux script');
}

const SIZE = { columns: 80, rows: 24 };

/** Starts a node; gives the flag that leads to it. */
async function withNode(
  work: (flag: string, kingbus: KingbusProcess) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kingbus-terminal-" });
  try {
    const port = freePort();
    await using kingbus = await KingbusProcess.start([
      `--data-dir=${folder}`,
      `--admin-listen=127.0.0.1:${port}`,
    ]);
    await work(`--admin-listen=127.0.0.1:${port}`, kingbus);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function plain(text: string): string {
  // deno-lint-ignore no-control-regex -- they are what is taken out
  return text.replaceAll(/\u001b\[[?\d;]*[A-Za-z]/g, "");
}

Deno.test({
  name:
    "kingbus status fits a terminal of 80 columns, with colours unless NO_COLOR",
  ignore: !hasTerminal,
  fn: () =>
    withNode(async (flag) => {
      const status = kingbusProgram(["status", flag]);
      for (const env of [{ NO_COLOR: "" }, { NO_COLOR: "1" }]) {
        await using terminal = PseudoTerminal.start(shellCommand(status), {
          ...SIZE,
          env,
        });
        assertEquals(await terminal.ended(), 0);
        const { written } = terminal;
        assertStringIncludes(plain(written), "kingbus, kingbus ");
        // deno-lint-ignore no-control-regex -- it is what is looked for
        assertEquals(/\u001b\[\d+m/.test(written), env.NO_COLOR === "");
        for (const line of plain(written).split("\r\n")) {
          assert(unicodeWidth(line) <= 80, line);
        }
      }
    }),
});

Deno.test({
  name:
    "kingbus status --watch leaves the terminal as it was, after q, Ctrl-C and a lost node",
  ignore: !hasTerminal,
  fn: () =>
    withNode(async (flag, kingbus) => {
      const watch = shellCommand(
        kingbusProgram(["status", "--watch", "--interval=200ms", flag]),
      );
      for (const key of ["q", "\u0003"]) {
        await using terminal = PseudoTerminal.start(
          `trap : INT; before=$(stty -g); ${watch}; code=$?; [ "$before" = "$(stty -g)" ] && echo same; exit $code`,
          SIZE,
        );
        await terminal.shows("\u001b[?1049h");
        await terminal.shows("kingbus, kingbus ");
        if (key === "\u0003") {
          kingbus.signal("SIGKILL");
          await kingbus.ended();
          await terminal.shows("what follows is of 20");
        }
        await terminal.type(key);
        assertEquals(await terminal.ended(), 0);
        const after = terminal.written.split("\u001b[?25h\u001b[?1049l")[1];
        assertEquals(after?.trim(), "same", terminal.written);
      }
    }),
});

Deno.test("kingbus ends quietly when nobody reads its output any more", () =>
  withNode(async (flag) => {
    const watch = shellCommand(
      kingbusProgram(["status", "--watch", "--json", "--interval=200ms", flag]),
    );
    const { code, stdout, stderr } = await new Deno.Command("bash", {
      args: ["-c", `${watch} | head -1 | wc -l; echo "\${PIPESTATUS[0]}"`],
    }).output();
    const decoder = new TextDecoder();
    assertEquals(
      [code, decoder.decode(stdout), decoder.decode(stderr)],
      [0, "1\n0\n", ""],
    );
  }));
