import { CompileError } from "./compile_error.ts";
import type { CompileTarget } from "./compile_target.ts";

/** How programs of the targets begin: bytes at offsets, -1 is any. */
const HEADS: ReadonlyMap<CompileTarget, readonly number[]> = new Map([
  ["x86_64-unknown-linux-gnu", elfHead(0x3e)],
  ["aarch64-unknown-linux-gnu", elfHead(0xb7)],
  ["x86_64-apple-darwin", [0xcf, 0xfa, 0xed, 0xfe, 0x07, 0, 0, 0x01]],
  ["aarch64-apple-darwin", [0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 0x01]],
  ["x86_64-pc-windows-msvc", [0x4d, 0x5a]],
]);

/** ELF: magic number, 64 bits, little endian, and the machine at 18. */
function elfHead(machine: number): number[] {
  const head = new Array<number>(19).fill(-1);
  head.splice(0, 6, 0x7f, 0x45, 0x4c, 0x46, 2, 1);
  head[18] = machine;
  return head;
}

/** denort has its version in it as the name it gives to web servers. */
const VERSION_TEXT = /Deno\/(\d+\.\d+\.\d+)/g;

/** What is read at once; a text across two reads is found in the overlap. */
const CHUNK_BYTES = 4 * 1024 * 1024;
const OVERLAP_BYTES = 64;

/** What a runtime has to be. */
export interface WantedStub {
  /** The version of the Deno that makes the executable. */
  readonly version: string;
  /** What the executable is for. */
  readonly target: CompileTarget;
}

/**
 * Checks that a file can be the runtime of an executable: Deno itself only
 * finds that out when the executable is started.
 *
 * @param path What DENORT_BIN names.
 * @throws {CompileError} If it is not that version's denort for that target.
 */
export async function checkStub(
  path: string,
  { version, target }: WantedStub,
): Promise<void> {
  const { head, versions } = await lookInto(path);
  const found = [...HEADS].find(([, bytes]) =>
    bytes.every((byte, at) => byte < 0 || byte === head[at])
  )?.[0];
  let what = `is of Deno ${[...versions].join(" or ")}`;
  if (versions.size === 0) what = "is no denort";
  else if (versions.has(version)) {
    if (found === target) return;
    what = `is for ${found ?? "an unknown system"}`;
  }
  throw new CompileError(
    `DENORT_BIN names ${path}, which ${what}; it must be the denort of Deno ${version}, which makes the executable, for ${target}. Give that one, or run deno task compile with the Deno and the --target that belong to it`,
  );
}

async function lookInto(
  path: string,
): Promise<{ head: Uint8Array; versions: Set<string> }> {
  const versions = new Set<string>();
  let head: Uint8Array = new Uint8Array(0);
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CompileError(
      `DENORT_BIN names ${path}, which can't be read: ${why}`,
      { cause },
    );
  }
  using _file = file;
  const decoder = new TextDecoder("latin1");
  const bytes = new Uint8Array(CHUNK_BYTES);
  let overlap = "";
  for (;;) {
    const count = await file.read(bytes);
    if (count === null) return { head, versions };
    if (head.length === 0) head = bytes.slice(0, count);
    const text = overlap + decoder.decode(bytes.subarray(0, count));
    for (const [, version] of text.matchAll(VERSION_TEXT)) {
      versions.add(version!);
    }
    overlap = text.slice(-OVERLAP_BYTES);
  }
}
