import { type PurgeStatus, purgeStatus } from "../admin/retention_status.ts";
import { parseRfc3339 } from "../admin/rfc3339.ts";
import type { ConfigTree } from "../config/config_schema.ts";
import { parseDuration } from "../config/duration.ts";
import { retentionSettings } from "../config/load_config.ts";
import { silentLog } from "../log/log.ts";
import { freeDisk } from "../retention/free_disk.ts";
import { ReplicaNeeds } from "../retention/replica_needs.ts";
import { type PurgeTarget, Retention } from "../retention/retention.ts";
import type { BinlogStore } from "../store/binlog_store.ts";
import { executedText } from "../store/executed_text.ts";
import { fileExists } from "../tls/file_exists.ts";
import { databasePath } from "../store/kv/database_path.ts";
import { openKvStore } from "../store/kv/open_kv_store.ts";
import { type AdminAccess, adminOrStoreFlags } from "./admin_access.ts";
import { AdminError } from "./admin_client.ts";
import { formatFound, type Found, FROM_FIELD } from "./ask_node.ts";
import {
  type Command,
  type CommandInput,
  JSON_FLAG,
  wantsJson,
} from "./command.ts";
import { ExitCode } from "./exit_code.ts";
import { formatBytes } from "./format_bytes.ts";
import { describeHoldStatus } from "./format_retention.ts";
import { isPurgeStatus } from "./node_answers.ts";
import { printable } from "./printable.ts";
import { runLong } from "./long_work.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";
import { withAdmin } from "./with_admin.ts";

const TO_FLAG = "to";
const BEFORE_FLAG = "before";
const FORCE_FLAG = "force";
const DRY_RUN_FLAG = "dry-run";

/** A purge of very many files takes a while. */
const TIMEOUT_MS = 600_000;
/** How often it is looked whether what was removed is free. */
const REMOVING_CHECK_MS = 100;

/** What a command line asks for. */
interface PurgeWish {
  readonly target: PurgeTarget;
  readonly force: boolean;
  readonly dryRun: boolean;
}

/** `kingbus purge`. */
export const purgeCommand: Command = {
  name: "purge",
  summary: "Remove the oldest files of the log",
  about:
    "Removes the files before a file or a time: through the admin API of the running node, or from the store itself when no node answers there. Files that a connected replica or one of retention.replicas still needs stay, unless it is forced; exit code 1 then.",
  example: "kingbus purge --before 7d --dry-run",
  flags: [
    ...adminOrStoreFlags(),
    {
      name: TO_FLAG,
      value: "FILE",
      about: "Removes the files before this one, which stays.",
    },
    {
      name: BEFORE_FLAG,
      value: "TIME",
      about:
        "Removes the files whose last event is older: 2026-11-23T10:00:00Z, 2026-11-23 (UTC), or an age such as 7d.",
    },
    {
      name: FORCE_FLAG,
      value: undefined,
      about:
        "Removes what replicas still need as well: they stop with error 1236.",
    },
    {
      name: DRY_RUN_FLAG,
      value: undefined,
      about: "Only says what would be removed.",
    },
    JSON_FLAG,
  ],
  restMax: 0,
  json: {
    about: "One document.",
    fields: [
      FROM_FIELD,
      ["data", "What [`PUT /binlog/purge`](admin-api.md) answers."],
    ],
  },
  async run(input, terminal): Promise<number> {
    const wish = readWish(input);
    return await withAdmin(input, terminal, async (access) => {
      const answer = await askNode(access, wish);
      const found: Found<PurgeStatus> = answer === undefined
        ? { from: "store", data: await purgeStore(access.tree, wish, terminal) }
        : { from: "node", data: answer };
      const status = found.data;
      terminal.out(wantsJson(input) ? formatFound(found) : formatPurge(status));
      return status.held_back_by.length === 0 ? ExitCode.DONE : ExitCode.FAILED;
    });
  },
};

function readWish({ values, switches }: CommandInput): PurgeWish {
  const to = values.get(TO_FLAG);
  const before = values.get(BEFORE_FLAG);
  if ((to === undefined) === (before === undefined)) {
    throw new UsageError(
      `purge needs one of --${TO_FLAG} FILE and --${BEFORE_FLAG} TIME`,
    );
  }
  return {
    target: to === undefined ? { beforeMs: readTime(before!) } : { to },
    force: switches.has(FORCE_FLAG),
    dryRun: switches.has(DRY_RUN_FLAG),
  };
}

function readTime(text: string): number {
  const isDate = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const timeMs = parseRfc3339(isDate ? `${text}T00:00:00Z` : text);
  if (timeMs !== undefined) return timeMs;
  try {
    return Date.now() - parseDuration(text);
  } catch (cause) {
    throw new UsageError(
      `--${BEFORE_FLAG} takes a time such as 2026-11-23T10:00:00Z or an age such as 7d, not ${
        JSON.stringify(text.slice(0, 100))
      }`,
      { cause },
    );
  }
}

/** Lets the running node do it; undefined when none runs there. */
async function askNode(
  { client, named }: AdminAccess,
  { target, force, dryRun }: PurgeWish,
): Promise<PurgeStatus | undefined> {
  const where = "to" in target
    ? target
    : { before: new Date(target.beforeMs).toISOString() };
  try {
    return await client.ask({
      method: "PUT",
      path: "/binlog/purge",
      body: { ...where, force, dry_run: dryRun },
      timeoutMs: TIMEOUT_MS,
      isAnswer: isPurgeStatus,
    });
  } catch (error) {
    if (!(error instanceof AdminError) || error.kind !== "nobody") throw error;
    if (named) throw error;
    return undefined;
  }
}

/** Does it on the store itself, which no node has open. */
async function purgeStore(
  tree: ConfigTree,
  wish: PurgeWish,
  terminal: Terminal,
): Promise<PurgeStatus> {
  const path = databasePath(tree["data-dir"]);
  if (!await fileExists(path)) {
    throw new AdminError(
      "nobody",
      `no node answers, and there is no store in ${
        tree["data-dir"]
      }: is --data-dir right?`,
    );
  }
  await using store = await openKvStore({ path });
  const settings = retentionSettings(tree);
  await using retention = new Retention({
    store,
    settings,
    needs: await ReplicaNeeds.open(store, settings.replicas, Date.now),
    connected: () => [],
    freeDisk: () => freeDisk(tree["data-dir"]),
    now: Date.now,
    log: silentLog(),
  });
  const { target, ...options } = wish;
  const outcome = await retention.purge(target, options);
  const isFree = await untilRemoved(store, terminal);
  if (!isFree) {
    terminal.err(
      "kingbus: purge was interrupted: the files are removed, and the rest of their space is freed when the store is next opened\n",
    );
  }
  const { purged } = executedText(store);
  return purgeStatus(outcome, { dryRun: wish.dryRun, purged });
}

/** Waits until the bytes of the files that went are free; false if interrupted. */
async function untilRemoved(
  store: BinlogStore,
  terminal: Terminal,
): Promise<boolean> {
  let { removingBytes: left } = await store.diskUse();
  const total = left;
  return await runLong({
    title: "removing",
    terminal,
  }, async ({ signal, progress }) => {
    progress(0, total);
    while (left > 0 && !signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, REMOVING_CHECK_MS));
      left = (await store.diskUse()).removingBytes;
      progress(total - left, total);
    }
    return left <= 0;
  });
}

function formatPurge(status: PurgeStatus): string {
  const { removed, bytes, dry_run: dryRun, held_back_by: holds } = status;
  const [first, last] = [removed[0], removed.at(-1)];
  const did = dryRun ? "would remove" : "removed";
  const lines = first === undefined || last === undefined
    ? [`${did} nothing`]
    : [
      `${did} ${removed.length === 1 ? "1 file" : `${removed.length} files`}, ${
        formatBytes(bytes)
      }: ${first.name}${first === last ? "" : ` to ${last.name}`}`,
    ];
  if (status.first_kept !== undefined) {
    lines.push(
      `the log begins with ${status.first_kept}${dryRun ? " then" : ""}`,
    );
  }
  if (holds.length > 0) {
    lines.push(
      `${
        status.asked - removed.length
      } of ${status.asked} files stay, because a replica needs them (--${FORCE_FLAG} removes them all the same):`,
      ...holds.map((hold) => `  ${describeHoldStatus(hold)}`),
    );
  } else if (status.kept_active) {
    lines.push("the file being written always stays");
  }
  return `${lines.map(printable).join("\n")}\n`;
}
