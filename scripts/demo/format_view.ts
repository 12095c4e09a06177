import { formatGtidSet } from "./format_gtid_set.ts";
import {
  formatBytes,
  formatCount,
  formatLag,
  formatQuantity,
  formatRate,
} from "./format_number.ts";
import type { Snapshot } from "./snapshot.ts";
import { drawSparkline } from "./sparkline.ts";
import type { Look, Span, ViewLine } from "./view_line.ts";

/** Columns of the names, the addresses and the numbers at the left. */
const NAME_WIDTH = 9;
const ADDRESS_WIDTH = 17;
const NUMBER_WIDTH = 12;
const DETAIL_WIDTH = 30;
const BARS_MAX = 60;

/** Below this the replica keeps up; above the second it does not. */
const LAG_GOOD_MS = 50;
const LAG_BAD_MS = 1_000;

/**
 * Draws the live view.
 *
 * @param width Columns of the terminal.
 */
export function formatView(snapshot: Snapshot, width: number): ViewLine[] {
  const { addresses, servers } = snapshot;
  const place = `${servers.file}:${formatCount(servers.position)}`;
  const kept = `${formatBytes(servers.storedBytes)} kept, ${
    formatBytes(servers.sentBytes)
  } sent`;
  return [
    titleLine(snapshot, width),
    [],
    serverLine("source", addresses.source, servers.source.toString(), width),
    serverLine("kingbus", addresses.kingbus, servers.kingbus.toString(), width),
    below([{ text: place }, { text: `   ${kept}`, look: "dim" }]),
    serverLine("replica", addresses.replica, servers.replica.toString(), width),
    below([behindSpan(snapshot)]),
    [],
    rateLine(snapshot, width),
    lagLine(snapshot, width),
    [],
    writtenLine(snapshot),
    hintLine(snapshot),
  ];
}

function titleLine(snapshot: Snapshot, width: number): ViewLine {
  const title = "kingbus demo";
  const path = "  MySQL 5.6 → kingbus → MySQL 5.6";
  const state = stateText(snapshot);
  const room = width - 1 - title.length - path.length - state.length;
  return [
    { text: ` ${title}`, look: "bold" },
    { text: path },
    { text: " ".repeat(Math.max(room - 1, 2)) },
    { text: state, look: "cyan" },
  ];
}

function stateText({ phase, elapsedMs, seconds }: Snapshot): string {
  if (phase !== "writing") return phase;
  const elapsed = Math.floor(elapsedMs / 1000);
  return seconds === undefined ? `${elapsed} s` : `${elapsed} s of ${seconds}`;
}

function serverLine(
  name: string,
  address: string,
  executed: string,
  width: number,
): ViewLine {
  const left = NAME_WIDTH + ADDRESS_WIDTH + 2;
  return [
    { text: ` ${name.padEnd(NAME_WIDTH)}`, look: "bold" },
    { text: `${address.padEnd(ADDRESS_WIDTH)} `, look: "dim" },
    { text: formatGtidSet(executed, Math.max(width - left, 12)) },
  ];
}

function below(spans: readonly Span[]): ViewLine {
  return [{ text: " ".repeat(NAME_WIDTH + ADDRESS_WIDTH + 2) }, ...spans];
}

function behindSpan({ servers, behind }: Snapshot): Span {
  if (servers.trouble !== undefined) {
    return { text: servers.trouble, look: "red" };
  }
  if (behind === 0) return { text: "has it all", look: "green" };
  const lacking = formatQuantity(behind, "transaction");
  return { text: `${lacking} behind`, look: "yellow" };
}

function rateLine(snapshot: Snapshot, width: number): ViewLine {
  const { transactions, rate, rateHistory } = snapshot;
  return measureLine(
    "transactions",
    { text: `${formatRate(rate)}/s`, look: "bold" },
    `${formatCount(transactions)} in all`,
    rateHistory,
    width,
  );
}

function lagLine(snapshot: Snapshot, width: number): ViewLine {
  const { lagMs, recentLag, lagHistory } = snapshot;
  return measureLine(
    "lag",
    {
      text: lagMs === undefined ? "…" : formatLag(lagMs),
      look: lagLook(lagMs ?? 0),
    },
    recentLag === undefined
      ? ""
      : `median ${formatLag(recentLag.medianMs)}, 99% ${
        formatLag(recentLag.p99Ms)
      }`,
    lagHistory,
    width,
  );
}

function lagLook(lagMs: number): Look {
  if (lagMs < LAG_GOOD_MS) return "green";
  return lagMs < LAG_BAD_MS ? "yellow" : "red";
}

function measureLine(
  name: string,
  now: Span,
  detail: string,
  history: readonly number[],
  width: number,
): ViewLine {
  const nameWidth = 14;
  const left = 1 + nameWidth + NUMBER_WIDTH + DETAIL_WIDTH;
  return [
    { text: ` ${name.padEnd(nameWidth)}`, look: "bold" },
    { ...now, text: now.text.padEnd(NUMBER_WIDTH) },
    { text: detail.padEnd(DETAIL_WIDTH), look: "dim" },
    {
      text: drawSparkline(history, Math.min(width - left - 1, BARS_MAX)),
      look: "cyan",
    },
  ];
}

function writtenLine({ written, servers }: Snapshot): ViewLine {
  const { large, schemaChanges } = written;
  const parts = [
    formatQuantity(large, "large transaction"),
    formatQuantity(schemaChanges, "schema change"),
    formatQuantity(servers.storedFiles, "log file"),
  ];
  return [{ text: ` so far: ${parts.join(", ")}`, look: "dim" }];
}

function hintLine({ phase }: Snapshot): ViewLine {
  const end = phase === "writing" ? "Enter: end, and compare the rows   " : "";
  return [{ text: ` ${end}Ctrl-C: stop everything at once`, look: "dim" }];
}
