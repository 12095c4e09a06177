import { CompileError } from "./compile_error.ts";

/** The systems an executable can be made for, as Deno names them. */
export const COMPILE_TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
] as const;

/** One of them. */
export type CompileTarget = typeof COMPILE_TARGETS[number];

/** @throws {CompileError} If there is no such target. */
export function parseTarget(text: string): CompileTarget {
  const found = COMPILE_TARGETS.find((target) => target === text);
  if (found !== undefined) return found;
  throw new CompileError(
    `There is no target "${text}"; there are ${
      COMPILE_TARGETS.join(", ")
    }, and all`,
  );
}

/** The target's operating system, as `Deno.build.os` names it. */
export function osOf(target: CompileTarget): "linux" | "darwin" | "windows" {
  if (target.includes("windows")) return "windows";
  return target.includes("darwin") ? "darwin" : "linux";
}

/** What names of programs end with on the target. */
export function programSuffix(target: CompileTarget): "" | ".exe" {
  return osOf(target) === "windows" ? ".exe" : "";
}
