import { assertRejects } from "@std/assert";
import { checkStub } from "../../../../scripts/compile/check_stub.ts";
import { CompileError } from "../../../../scripts/compile/compile_error.ts";

const LINUX = { version: "2.9.6", target: "x86_64-unknown-linux-gnu" } as const;

const ELF = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, ...new Array(11));

async function withStub(
  parts: readonly (Uint8Array | string)[],
  test: (path: string) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, new Blob(parts as BlobPart[]).stream());
    await test(path);
  } finally {
    await Deno.remove(path);
  }
}

/** Longer than what is read at once, so that a text crosses the border. */
const FILLER = "\0".repeat(4 * 1024 * 1024 - 24);

Deno.test("checkStub() takes the denort of this version for the target", async () => {
  const arm = { ...LINUX, target: "aarch64-unknown-linux-gnu" } as const;
  const text = `${FILLER}Deno/2.9.6+abc`;
  await withStub(
    [ELF, Uint8Array.of(0x3e, 0), text],
    (path) => checkStub(path, LINUX),
  );
  await withStub(
    [ELF, Uint8Array.of(0xb7, 0), text],
    (path) => checkStub(path, arm),
  );
});

Deno.test("checkStub() says what a wrong one is, and what is wanted", async () => {
  const x86 = Uint8Array.of(0x3e, 0);
  const cases: [(Uint8Array | string)[], string][] = [
    [
      [ELF, x86, "Deno/2.5.7"],
      "which is of Deno 2.5.7; it must be the denort of Deno 2.9.6, which makes the executable, for x86_64-unknown-linux-gnu",
    ],
    [[ELF, x86, "nothing"], "which is no denort;"],
    [
      [ELF, Uint8Array.of(0xb7), "Deno/2.9.6"],
      "which is for aarch64-unknown-linux-gnu;",
    ],
    [["MZ", "Deno/2.9.6"], "which is for x86_64-pc-windows-msvc;"],
    [["#!/bin/sh", "Deno/2.9.6"], "which is for an unknown system;"],
  ];
  for (const [parts, message] of cases) {
    await withStub(parts, async (path) => {
      await assertRejects(() => checkStub(path, LINUX), CompileError, message);
    });
  }
});

Deno.test("checkStub() says that there is none", async () => {
  await assertRejects(
    () => checkStub("/nowhere/denort", LINUX),
    CompileError,
    "DENORT_BIN names /nowhere/denort, which can't be read: No such file",
  );
});
