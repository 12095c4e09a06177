import { assert, assertEquals, assertMatch } from "@std/assert";
import { VERSION } from "../../lib/version.ts";
import { e2eTest } from "../support/e2e_test.ts";
import { makeExecutable } from "../support/executable.ts";
import { KingbusProcess, runToEnd } from "../support/kingbus_process.ts";

/** A user that owns nothing: nobody of Debian. */
const NOBODY = 65534;

const PLAIN = "server: { tls: { mode: disabled } }\n";

async function* allFiles(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* allFiles(path);
    else yield path;
  }
}

async function filesIn(folder: string): Promise<string[]> {
  const paths = await Array.fromAsync(allFiles(folder));
  return paths.map((path) => path.slice(folder.length + 1)).sort();
}

await e2eTest(
  "the executable tells its version and its help, without any environment",
  [],
  async ({ executable, folder }) => {
    const launch = executable.launch({ cwd: folder });
    const version = await runToEnd(launch(["--version"]));
    assertMatch(version.stdout, /^kingbus \d+\.\d+\.\d+ \(Deno \d/);
    assert(version.stdout.startsWith(`kingbus ${VERSION} `), version.stdout);
    const help = await runToEnd(launch(["help"]));
    assert(help.stdout.includes("serve"), help.stdout);
    assertEquals([version.code, help.code], [0, 0]);
    assertEquals([version.stderr, help.stderr], ["", ""]);
    assertEquals(await filesIn(folder), []);
  },
);

await e2eTest(
  "the executable refuses what it does not understand with 2, what can't be done with 1",
  [],
  async ({ executable, folder }) => {
    const launch = executable.launch({ cwd: folder });
    const unknown = await runToEnd(launch(["bogus"]));
    assertEquals([unknown.code, unknown.stdout], [2, ""]);
    assertMatch(unknown.stderr, /^kingbus: .*bogus/);
    await Deno.writeTextFile(`${folder}/kingbus.yaml`, "server:\n  listn: x\n");
    const config = await runToEnd(launch(["serve", "--config=kingbus.yaml"]));
    assertEquals([config.code, config.stdout], [2, ""]);
    assertMatch(config.stderr, /^kingbus: kingbus\.yaml:2: .*listn/);
    const status = await runToEnd(
      launch(["status", "--admin-listen=127.0.0.1:1"]),
    );
    assertEquals(status.code, 1);
    assertMatch(status.stderr, /connection refused/);
    // no stack, and one line each
    for (const { stderr } of [unknown, config, status]) {
      assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
    }
  },
);

await e2eTest(
  "the executable may touch its folders only, and says so with the ways out",
  [],
  async ({ executable, folder }) => {
    const launch = executable.launch({
      cwd: folder,
      env: { SECRET: "x", KINGBUS_SECRET: "y" },
    });
    await Deno.writeTextFile(`${folder}/kingbus.yaml`, PLAIN);
    const config = "--config=kingbus.yaml";
    const outside = await Deno.makeTempDir({ prefix: "kingbus-outside-" });
    try {
      await Deno.writeTextFile(`${outside}/kingbus.yaml`, PLAIN);
      const refused = [
        [["serve", config, `--data-dir=${outside}`], outside],
        [["serve", config, `--log-directory=${outside}/log`], `${outside}/log`],
        [["serve", `--config=${outside}/kingbus.yaml`], outside],
        [["serve", `--config=${outside}/kingbus.yaml`], outside],
        [["import", config, outside], outside],
        [["verify", config, `--data-dir=${outside}/d`], `${outside}/d`],
      ] as const;
      for (const [args, asked] of refused) {
        const { code, stderr } = await runToEnd(launch(args));
        assert(code !== 0, stderr);
        assert(stderr.includes("this executable may not "), stderr);
        assert(stderr.includes(`(${folder}), /var/lib/kingbus`), stderr);
        assert(stderr.includes("start it in a folder that holds it"), stderr);
        assert(stderr.includes(`deno task compile --folder ${asked}`), stderr);
        assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
      }
      assertEquals(await filesIn(outside), ["kingbus.yaml"]);

      await Deno.writeTextFile(
        `${folder}/env.yaml`,
        "server:\n  users:\n    - { name: a, password-env: SECRET }\n",
      );
      const variable = await runToEnd(launch(["serve", "--config=env.yaml"]));
      assertEquals(variable.code, 2);
      assertMatch(
        variable.stderr,
        /^kingbus: env\.yaml:3: server\.users\[0\]\.password-env: this executable may not read the environment variable SECRET: .*--env SECRET\n$/,
      );

      // A link leads on, so that data can be on another disk.
      await Deno.symlink(outside, `${folder}/elsewhere`);
      await using kingbus = await KingbusProcess.start(
        [config, "--data-dir=elsewhere/data"],
        launch,
      );
      kingbus.signal("SIGTERM");
      assertEquals(await kingbus.ended(), 0);
      assert((await filesIn(outside)).includes("data/kingbus.db"));
    } finally {
      await Deno.remove(outside, { recursive: true });
    }
  },
);

await e2eTest(
  "an executable made with --folder and --env may use those, too",
  [],
  async ({ folder }) => {
    const outside = await Deno.makeTempDir({ prefix: "kingbus-outside-" });
    try {
      const made = await makeExecutable("kingbus-folder", [
        `--folder=${outside}`,
        "--env=SECRET",
      ]);
      if (typeof made === "string") throw new TypeError(made);
      const launch = made.launch({ cwd: folder, env: { SECRET: "x" } });
      await Deno.writeTextFile(
        `${outside}/kingbus.yaml`,
        `data-dir: ${outside}/data
server:
  tls: { mode: disabled }
  users: [{ name: a, password-env: SECRET, rights: [replicate] }]
`,
      );
      await using kingbus = await KingbusProcess.start(
        [`--config=${outside}/kingbus.yaml`],
        launch,
      );
      kingbus.signal("SIGTERM");
      assertEquals(await kingbus.ended(), 0);
      assert((await filesIn(outside)).includes("data/kingbus.db"));
      const { stderr } = await runToEnd(launch(["serve", "--config=/x.yaml"]));
      assert(stderr.includes(`/var/log/kingbus, ${outside}, and read`), stderr);
    } finally {
      await Deno.remove(outside, { recursive: true });
    }
  },
);

await e2eTest(
  "the executable needs no home, writes to its data and log folders only, and runs as any user",
  [],
  async ({ executable, folder }) => {
    const asRoot = Deno.uid() === 0;
    for (const name of ["home", "tmp", "here"]) {
      await Deno.mkdir(`${folder}/${name}`);
    }
    await Deno.writeTextFile(`${folder}/here/kingbus.yaml`, PLAIN);
    if (asRoot) {
      await Deno.chmod(folder, 0o755);
      await Deno.chown(`${folder}/here`, NOBODY, NOBODY);
    }
    const program = asRoot ? `${folder}/kingbus` : executable.path;
    // Where it was made others may not look.
    if (asRoot) await Deno.copyFile(executable.path, program);
    const launch = (args: readonly string[]) =>
      new Deno.Command(program, {
        args: [...args],
        cwd: `${folder}/here`,
        clearEnv: true,
        env: { HOME: `${folder}/home`, TMPDIR: `${folder}/tmp` },
        ...asRoot ? { uid: NOBODY, gid: NOBODY } : {},
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
      });
    await using kingbus = await KingbusProcess.start(
      ["--config=kingbus.yaml", "--log-directory=log"],
      launch,
    );
    assertEquals((await kingbus.ask("GET", "/readyz")).status, 200);
    const check = await runToEnd(
      launch(["config", "check", "--config=kingbus.yaml"]),
    );
    assertEquals([check.code, check.stderr], [0, ""]);
    assert(check.stdout.includes("can be written"), check.stdout);
    if (asRoot) {
      // A folder that it may use, and that its user can't make.
      const other = await runToEnd(
        launch(["config", "check", "--data-dir=/var/lib/kingbus/none/here"]),
      );
      assertEquals(other.code, 1, other.stdout);
      assertMatch(other.stdout, /FAIL +data-dir .*by this user/);
    }
    kingbus.signal("SIGTERM");
    assertEquals(await kingbus.ended(), 0);
    const files = await filesIn(`${folder}/here`);
    assertEquals(
      files.filter((name) => !/^data\/kingbus\.db(-wal|-shm)?$/.test(name)),
      ["data/kingbus.db.lock", "kingbus.yaml", "log/kingbus.log"],
    );
    assertEquals(await filesIn(`${folder}/home`), []);
    assertEquals(await filesIn(`${folder}/tmp`), []);
  },
);

await e2eTest(
  "the executable may not touch all there is when it is started in the root folder",
  [],
  async ({ executable, folder }) => {
    const launch = executable.launch({ cwd: "/" });
    await Deno.writeTextFile(`${folder}/kingbus.yaml`, PLAIN);
    for (const path of [folder, folder.slice(1)]) {
      const { code, stderr } = await runToEnd(
        launch(["serve", `--config=${path}/kingbus.yaml`]),
      );
      assertEquals(code, 2);
      assert(
        stderr.includes("it may only use /var/lib/kingbus, /var/log/kingbus"),
        stderr,
      );
    }
  },
);
