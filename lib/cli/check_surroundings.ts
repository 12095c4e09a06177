import { dirname, resolve } from "node:path";
import { type Address, formatAddress } from "../config/address.ts";
import type { ConfigTree } from "../config/config_schema.ts";
import { describeError } from "../log/describe_error.ts";
import type { Finding } from "./finding.ts";

/**
 * Looks whether what a configuration names is there and can be used: folders
 * that are written, addresses that are listened on, and files with secrets that
 * others may read. Leaves nothing changed.
 */
export async function checkSurroundings(tree: ConfigTree): Promise<Finding[]> {
  const folders = await Promise.all([
    checkFolder("data-dir", tree["data-dir"]),
    ...tree.log.directory === undefined
      ? []
      : [checkFolder("log.directory", tree.log.directory)],
  ]);
  return [
    ...folders,
    checkListen("server.listen", tree.server.listen),
    checkListen("admin.listen", tree.admin.listen),
    ...await checkSecrets(tree),
  ];
}

/** A folder that does not exist is made at the start, in the one above it. */
async function checkFolder(what: string, path: string): Promise<Finding> {
  let folder = resolve(path);
  let missing: string | undefined;
  for (;;) {
    try {
      const { isDirectory } = await Deno.stat(folder);
      if (!isDirectory) {
        return { level: "problem", what, text: `${folder} is no folder` };
      }
      await tryToWrite(folder, missing);
      const text = folder === resolve(path)
        ? `${folder} can be written`
        : `${path} will be made in ${folder}`;
      return { level: "ok", what, text };
    } catch (error) {
      const above = dirname(folder);
      if (error instanceof Deno.errors.NotFound && above !== folder) {
        missing = folder;
        folder = above;
        continue;
      }
      // An executable may not look everywhere: what it may is enough to run.
      if (error instanceof Deno.errors.NotCapable && missing !== undefined) {
        return await tryToMake(what, missing, path);
      }
      return {
        level: "problem",
        what,
        text:
          `${folder} can't be written by this user: change its owner, or take another folder (${
            describeError(error)
          })`,
      };
    }
  }
}

/** Of a folder whose surroundings may not be looked at. */
async function tryToMake(
  what: string,
  missing: string,
  path: string,
): Promise<Finding> {
  try {
    await tryToWrite(missing, missing);
    return { level: "ok", what, text: `${path} will be made` };
  } catch (error) {
    return {
      level: "problem",
      what,
      text:
        `${missing} can't be made by this user: make it and give it to this user, or take another folder (${
          describeError(error)
        })`,
    };
  }
}

/**
 * Does what the start would do in a folder, and undoes it. To ask for access
 * instead would take the right to know the user, which kingbus has no need of.
 */
async function tryToWrite(
  folder: string,
  missing: string | undefined,
): Promise<void> {
  const made = missing ??
    await Deno.makeTempFile({ dir: folder, prefix: ".kingbus-check-" });
  if (missing !== undefined) await Deno.mkdir(missing);
  await Deno.remove(made);
}

function checkListen(what: string, { hostname, port }: Address): Finding {
  const address = formatAddress({ hostname, port });
  if (port === 0) {
    return { level: "ok", what, text: `${address}: any free port` };
  }
  try {
    Deno.listen({ hostname, port }).close();
    return { level: "ok", what, text: `${address} is free` };
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      return {
        level: "warning",
        what,
        text:
          `${address} is in use: fine while this kingbus runs, else stop who has it or take another port`,
      };
    }
    return {
      level: "problem",
      what,
      text: `${address} can't be listened on: ${describeError(error)}`,
    };
  }
}

/** Files with secrets that others than their owner may read. */
async function checkSecrets(tree: ConfigTree): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [what, file] of secretFiles(tree)) {
    const mode = await modeOf(file);
    if (mode === undefined || (mode & 0o007) === 0) continue;
    findings.push({
      level: "warning",
      what,
      text: `every user may read ${file}: chmod o= ${file}`,
    });
  }
  return findings;
}

function secretFiles(
  { server, source, admin }: ConfigTree,
): [string, string][] {
  const files: [string, string | undefined][] = [
    ...server.users.map((user, at): [string, string | undefined] => [
      `server.users[${at}]`,
      user["password-file"],
    ]),
    ["source.password-file", source?.["password-file"]],
    ["server.tls.key", server.tls.key],
    ["source.tls.key", source?.tls.key],
    ["admin.read-token-file", admin["read-token-file"]],
    ["admin.admin-token-file", admin["admin-token-file"]],
    ["admin.tls.key", admin.tls.key],
  ];
  return files.filter((entry): entry is [string, string] =>
    entry[1] !== undefined
  );
}

/** Undefined where there are none, and for what can't be read: said elsewhere. */
async function modeOf(file: string): Promise<number | undefined> {
  try {
    return (await Deno.stat(file)).mode ?? undefined;
  } catch {
    return undefined;
  }
}
