import { VERSION } from "../version.ts";
import type { Command } from "./command.ts";

/** `kingbus version`. */
export const versionCommand: Command = {
  name: "version",
  summary: "Say the version",
  about: "Says which kingbus this is and what it runs on.",
  example: "kingbus version",
  flags: [],
  restMax: 0,
  run(_input, terminal): Promise<number> {
    const { os, arch } = Deno.build;
    const runtime = `Deno ${Deno.version.deno}, ${os} ${arch}`;
    terminal.out(`kingbus ${VERSION} (${runtime})\n`);
    return Promise.resolve(0);
  },
};
