import { assert, assertEquals } from "@std/assert";
import { usualFolders } from "../../../../lib/permission/usual_folders.ts";
import { parseCompileOptions } from "../../../../scripts/compile/compile_options.ts";
import { COMPILE_TARGETS } from "../../../../scripts/compile/compile_target.ts";
import { compileArguments } from "../../../../scripts/compile/make_executables.ts";
import { permissionFlags } from "../../../../scripts/compile/permission_flags.ts";

const ENTRY = { main: "/stage/main.ts", workers: ["/stage/worker.ts"] };
const NONE = { folders: [], variables: [] };

Deno.test("compileArguments() bakes in permissions, V8's flags, workers and variables", () => {
  const options = parseCompileOptions(
    ["--folder=/mnt/a", "--env=PW"],
    "x86_64-unknown-linux-gnu",
  )!;
  const [job] = options.jobs;
  assertEquals(compileArguments(job!, ENTRY, options, "/stage/x.env"), [
    "compile",
    "--unstable-kv",
    "--no-code-cache",
    "--v8-flags=--min-semi-space-size=4,--max-semi-space-size=4",
    "--no-prompt",
    "--allow-net",
    "--allow-read=.,/var/lib/kingbus,/var/log/kingbus,/mnt/a,/etc/kingbus,/etc/ssl,/etc/letsencrypt,/etc/pki,/run/secrets,/run/credentials",
    "--allow-write=.,/var/lib/kingbus,/var/log/kingbus,/mnt/a",
    "--allow-env=KINGBUS_*,NO_COLOR,FORCE_COLOR,TERM,LOG_STREAM,LOG_TOKENS,PW",
    "--allow-sys=hostname,statfs,uid,gid",
    "--include=/stage/worker.ts",
    "--env-file=/stage/x.env",
    "--target=x86_64-unknown-linux-gnu",
    "--output=dist/kingbus",
    "/stage/main.ts",
  ]);
});

Deno.test("compileArguments() permits no target more than the network and its folders", () => {
  for (const target of COMPILE_TARGETS) {
    const options = parseCompileOptions([`--target=${target}`], "")!;
    const args = compileArguments(options.jobs[0]!, ENTRY, options, undefined);
    const permissions = args.filter((arg) => arg.startsWith("--allow"));
    assertEquals(
      permissions.map((arg) => arg.split("=")[0]),
      [
        "--allow-net",
        "--allow-read",
        "--allow-write",
        "--allow-env",
        "--allow-sys",
      ],
      target,
    );
    assert(args.includes("--no-prompt"));
    assert(args.includes(`--target=${target}`));
    assertEquals(args.some((arg) => arg.startsWith("--env-file")), false);
    const isWindows = target.includes("windows");
    assertEquals(
      permissions.some((arg) => arg.includes("C:\\ProgramData")),
      isWindows,
    );
    assertEquals(permissions.some((arg) => arg.includes("/var")), !isWindows);
  }
});

Deno.test("usualFolders() never names a folder of the whole system", () => {
  for (const os of ["linux", "darwin", "windows"] as const) {
    const { read, write } = usualFolders(os);
    for (const folder of [...read, ...write]) {
      if (folder === ".") continue;
      assert(folder.split(/[/\\]/).length >= 3, folder);
    }
  }
});

Deno.test("deno task start asks the system no more than an executable does", async () => {
  const path = new URL("../../../../deno.json", import.meta.url);
  const { tasks } = JSON.parse(await Deno.readTextFile(path));
  const start = String(tasks.start).split(" ");
  for (const flag of permissionFlags("linux", NONE)) {
    const [name] = flag.split("=");
    // Which folders and variables is for those to decide who start it.
    const isOpen = /--allow-(?:read|write|env)/.test(flag);
    assert(start.includes(isOpen ? name! : flag), flag);
  }
  assertEquals(start.filter((flag) => flag.startsWith("--allow")).length, 5);
});
