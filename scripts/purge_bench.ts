/**
 * `deno task bench:purge`: measures what a purge costs others, and what it
 * gives back, on the store alone.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { describeMachine } from "./bench/machine.ts";
import { measurePurge } from "./bench/measure_purge.ts";
import { measureSpace, type SpaceSample } from "./bench/measure_space.ts";
import { formatPart } from "./bench/report.ts";

const USAGE = `deno task bench:purge [options]

  --only PARTS     of delay, space (both)
  --purge MB       what is purged while the store is busy, in 10^6 bytes (1000)
  --keep MB        what is kept of the log in the long run (256)
  --append MB      what is appended in the long run (2048)
  --dir DIR        folder on the disk to measure (that for temporary files)
`;

/** Lines of the long run's table. */
const LINES = 16;

const progress = (what: string): void => console.error(`… ${what}`);

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, {
    string: ["only", "purge", "keep", "append", "dir"],
    boolean: ["help"],
    default: {
      only: "delay,space",
      purge: "1000",
      keep: "256",
      append: "2048",
    },
  });
  if (flags.help) {
    console.log(USAGE);
    return;
  }
  const machine = await describeMachine();
  console.log(
    `machine  ${machine.cpu}, ${machine.cores} cores, ${machine.kernel}, load ${
      machine.loadBefore.toFixed(1)
    }`,
  );
  const folder = await Deno.makeTempDir({
    prefix: "kingbus-purge-",
    ...(flags.dir === undefined ? {} : { dir: flags.dir }),
  });
  try {
    const parts = flags.only.split(",");
    if (parts.includes("delay")) {
      const bytes = megabytes("purge", flags.purge);
      await measurePurge(
        folder,
        bytes,
        progress,
        (part) => console.log(formatPart(part)),
      );
    }
    if (parts.includes("space")) {
      progress("the long run");
      const samples = await measureSpace(
        folder,
        megabytes("keep", flags.keep),
        megabytes("append", flags.append),
      );
      console.log(formatSpace(samples));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function megabytes(name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value * 1e6;
  console.error(`bench: --${name} takes a number above 0, not "${text}"`);
  Deno.exit(1);
}

function formatSpace(samples: readonly SpaceSample[]): string {
  const columns = ["appended", "log", "database", "free inside"];
  const step = Math.ceil(samples.length / LINES);
  const shown = samples.filter((_, index) =>
    index % step === 0 || index >= samples.length - 2
  );
  return [
    "",
    "the long run, MB; in the last line all but the newest file were purged",
    columns.map((column) => column.padStart(12)).join(""),
    ...shown.map(({ appended, log, database, free }) =>
      [appended, log, database, free]
        .map((bytes) => (bytes / 1e6).toFixed(0).padStart(12)).join("")
    ),
  ].join("\n");
}

if (import.meta.main) await main();
