import type { NodeStatus } from "../admin/node_status.ts";
import { sleep } from "../connection/sleep.ts";
import type { AdminAccess } from "./admin_access.ts";
import { AdminError } from "./admin_client.ts";
import { ExitCode } from "./exit_code.ts";
import { formatOptions } from "./format_options.ts";
import { formatStatus } from "./format_status.ts";
import { NODE_QUESTION } from "./node_question.ts";
import { printable } from "./printable.ts";
import { StopSignals } from "./stop_signals.ts";
import type { Terminal } from "./terminal.ts";
import { shortenText } from "./wrap_text.ts";

/** How a node is watched. */
export interface WatchOptions {
  /** Prints lines of JSON instead of drawing. */
  readonly json: boolean;
  readonly intervalMs: number;
}

/** The other screen, without cursor, and back (xterm's 1049 and DEC's 25). */
const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";

/** To the top; behind each line and the last one, what was there goes. */
const HOME = "\u001b[H";
const END_LINE = "\u001b[K";
const END_SCREEN = "\u001b[J";

/** Where it is no signal. */
const CTRL_C = "\u0003";

/** What was found out last. */
interface Sight {
  readonly status: NodeStatus | undefined;
  /** When that was. */
  readonly at: Date | undefined;
  /** Why there is nothing newer. */
  readonly error: AdminError | undefined;
}

/**
 * Shows a node's status again and again, until it is ended; goes on asking when
 * the node is lost. The terminal is as it was afterwards, however it ends.
 */
export async function watchStatus(
  access: AdminAccess,
  options: WatchOptions,
  terminal: Terminal,
): Promise<number> {
  const ended = new AbortController();
  using signals = new StopSignals(() => ended.abort());
  void signals.first.then(() => ended.abort());
  if (options.json) {
    await repeat(options.intervalMs, ended.signal, async () => {
      const at = new Date();
      const sight = await look(access, ended.signal);
      if (ended.signal.aborted) return;
      if (terminal.isOutClosed()) return ended.abort();
      const { status, error } = sight;
      terminal.out(`${
        JSON.stringify({
          at: at.toISOString(),
          ...status === undefined
            ? { error: error?.message }
            : { from: "node", data: status },
        })
      }\n`);
    });
    return ExitCode.DONE;
  }
  await draw(access, options, terminal, ended);
  return ExitCode.DONE;
}

async function draw(
  access: AdminAccess,
  { intervalMs }: WatchOptions,
  terminal: Terminal,
  ended: AbortController,
): Promise<void> {
  let sight: Sight = { status: undefined, at: undefined, error: undefined };
  const show = (): void => terminal.out(screen(sight, access, terminal));
  using _listening = terminal.listen({
    onKeys: (keys) => {
      const isEnd = ["q", "Q", CTRL_C].some((key) => keys.includes(key));
      if (isEnd) ended.abort();
    },
    onResize: show,
  });
  terminal.out(ENTER);
  try {
    show();
    await repeat(intervalMs, ended.signal, async () => {
      const { status, error } = await look(access, ended.signal);
      if (ended.signal.aborted) return;
      sight = status === undefined
        ? { ...sight, error }
        : { status, at: new Date(), error: undefined };
      show();
    });
  } finally {
    terminal.out(LEAVE);
  }
}

async function look(
  { client }: AdminAccess,
  signal: AbortSignal,
): Promise<Pick<Sight, "status" | "error">> {
  try {
    const status = await client.ask({ ...NODE_QUESTION, signal });
    return { status, error: undefined };
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
    return { status: undefined, error };
  }
}

/** Does something, again each time that much has passed since it began. */
async function repeat(
  intervalMs: number,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    const next = performance.now() + intervalMs;
    await work();
    await sleep(Math.max(next - performance.now(), 0), signal);
  }
}

/** The whole screen, and how it is drawn over the last one. */
function screen(
  { status, at, error }: Sight,
  { client }: AdminAccess,
  terminal: Terminal,
): string {
  const { style } = terminal;
  const { columns, rows } = terminal.size() ?? { columns: 80, rows: 24 };
  const shown = status === undefined
    ? []
    : formatStatus(status, formatOptions(terminal)).trimEnd().split("\n");
  const title = error === undefined
    ? shortenText(`${client.url}  ${at?.toISOString() ?? "…"}`, columns)
    : style.bad(
      shortenText(printable(error.message), columns),
    );
  const since = error !== undefined && at !== undefined
    ? [style.warning(
      shortenText(`what follows is of ${at.toISOString()}`, columns),
    )]
    : [];
  const lines = [title, ...since, "", ...shown];
  const help = style.faint("q ends");
  const room = rows - 1;
  const fitting = lines.length <= room ? lines : [
    ...lines.slice(0, room - 1),
    style.faint(`${lines.length - room + 1} more lines`),
  ];
  return HOME +
    [...fitting, help].map((line) => `${line}${END_LINE}`).join("\r\n") +
    END_SCREEN;
}
