import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { programTest } from "../../support/program_test.ts";

const INSTALL = new URL("../../../scripts/install.sh", import.meta.url)
  .pathname;
const EXAMPLE = new URL(
  "../../../scripts/kingbus.example.yaml",
  import.meta.url,
);

/** A folder that stands for the root of a machine, and one to install from. */
class Staging implements AsyncDisposable {
  readonly root: string;
  readonly source: string;

  private constructor(root: string, source: string) {
    this.root = root;
    this.source = source;
  }

  static async make(): Promise<Staging> {
    const root = await Deno.makeTempDir({ prefix: "kingbus-root-" });
    const source = await Deno.makeTempDir({ prefix: "kingbus-release-" });
    return new Staging(root, source);
  }

  /** An executable for this machine whose bytes differ by `mark`. */
  async executable(mark: string, name = "kingbus"): Promise<string> {
    const program = await Deno.readFile(await Deno.realPath("/bin/sh"));
    const path = `${this.source}/${name}`;
    // What stands behind the last section of an ELF file does not matter.
    const tail = new TextEncoder().encode(mark);
    await Deno.writeFile(path, new Uint8Array([...program, ...tail]));
    return path;
  }

  async install(
    ...args: string[]
  ): Promise<{ code: number; out: string; err: string }> {
    const { code, stdout, stderr } = await new Deno.Command(INSTALL, {
      args: ["--root", this.root, ...args],
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
  }

  text(path: string): Promise<string> {
    return Deno.readTextFile(this.root + path);
  }

  /** Everything below the root, with its mode. */
  list(): Promise<string[]> {
    return listBelow(this.root, "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
    await Deno.remove(this.source, { recursive: true });
  }
}

async function listBelow(root: string, path: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(`${root}${path}`)) {
    const inside = `${path}/${entry.name}`;
    const { mode } = await Deno.stat(`${root}${inside}`);
    if (entry.isDirectory) found.push(...await listBelow(root, inside));
    found.push(`${((mode ?? 0) & 0o777).toString(8)} ${inside}`);
  }
  return found.sort();
}

async function sha256(path: string): Promise<string> {
  const digest = await crypto.subtle.digest(
    "SHA-256",
    await Deno.readFile(path),
  );
  return new Uint8Array(digest).toHex();
}

const BIN = "/usr/local/bin/kingbus";
const CONFIG = "/etc/kingbus/kingbus.yaml";
const UNIT = "/etc/systemd/system/kingbus.service";

await programTest("install.sh is sound shell", ["shellcheck"], async () => {
  const { code, stdout } = await new Deno.Command("shellcheck", {
    args: [INSTALL],
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stdout));
});

await programTest(
  "install.sh puts everything in its place, and again changes nothing",
  [],
  async () => {
    await using staging = await Staging.make();
    const binary = await staging.executable("one");
    const first = await staging.install("--binary", binary);
    assertEquals(first.code, 0, first.err);
    const expected = [
      "640 /etc/kingbus/kingbus.yaml",
      "644 /etc/kingbus/kingbus.yaml.example",
      "644 /etc/systemd/system/kingbus.service",
      "644 /etc/systemd/system/kingbus.service.d/10-backoff.conf",
      "700 /var/lib/kingbus",
      "750 /etc/kingbus",
      "750 /etc/kingbus/secrets",
      "755 /usr/local/bin/kingbus",
    ];
    const found = await staging.list();
    assertEquals(expected.filter((line) => !found.includes(line)), []);
    assertEquals(
      await staging.text(CONFIG),
      await Deno.readTextFile(EXAMPLE),
    );
    assertEquals(await sha256(staging.root + BIN), await sha256(binary));

    const second = await staging.install("--binary", binary);
    assertEquals(second.code, 0, second.err);
    assertEquals(await staging.list(), found);
    assertStringIncludes(second.out, "is this version already");
  },
);

await programTest(
  "install.sh upgrades, keeps what it replaces and an edited configuration",
  [],
  async () => {
    await using staging = await Staging.make();
    await staging.install("--binary", await staging.executable("one"));
    const old = await sha256(staging.root + BIN);
    await Deno.writeTextFile(staging.root + CONFIG, "name: edited\n");
    await Deno.chmod(`${staging.root}${CONFIG}`, 0o600);
    await Deno.writeTextFile(staging.root + UNIT, "[Service]\n");

    const newer = await staging.executable("two");
    const { code, out, err } = await staging.install("--binary", newer);
    assertEquals(code, 0, err);
    assertEquals(await sha256(staging.root + BIN), await sha256(newer));
    assertEquals(await sha256(`${staging.root}${BIN}.previous`), old);
    assertEquals(await staging.text(CONFIG), "name: edited\n");
    const found = await staging.list();
    assert(found.includes(`600 ${CONFIG}`), "its mode is the operator's");
    // A unit that somebody edited is not lost either.
    assertStringIncludes(out, "systemctl edit kingbus");
    assertEquals(await staging.text(`${UNIT}.previous`), "[Service]\n");
  },
);

await programTest(
  "install.sh writes the prefix into the unit",
  [],
  async () => {
    await using staging = await Staging.make();
    const binary = await staging.executable("one");
    await staging.install("--binary", binary, "--prefix", "/opt/kingbus");
    const unit = await staging.text(UNIT);
    assertStringIncludes(unit, "ExecStart=/opt/kingbus/bin/kingbus serve");
    assertStringIncludes(unit, "until /opt/kingbus/bin/kingbus ready");
    assert(!unit.includes("/usr/local"));
  },
);

await programTest(
  "install.sh takes an executable whose checksum is right, and no other",
  [],
  async () => {
    await using staging = await Staging.make();
    const binary = await staging.executable("one");
    const right = await sha256(binary);
    await Deno.writeTextFile(`${binary}.sha256`, `${right}  kingbus\n`);
    const good = await staging.install("--binary", binary, "--dry-run");
    assertEquals([good.code, good.err], [0, ""]);

    for (const file of [`${binary}.sha256`, `${staging.source}/SHA256SUMS`]) {
      await Deno.remove(`${binary}.sha256`).catch(() => {});
      await Deno.writeTextFile(file, `${"0".repeat(64)}  kingbus\n`);
      const { code, err } = await staging.install("--binary", binary);
      assertEquals(code, 1);
      assertStringIncludes(err, "damaged or not what was released");
      assertEquals(await staging.list(), []);
    }
    const given = right.toUpperCase();
    const { code } = await staging.install(
      ...["--binary", binary, "--checksum", given],
    );
    assertEquals(code, 0);
  },
);

await programTest(
  "install.sh refuses what is for another machine or is no executable",
  [],
  async () => {
    await using staging = await Staging.make();
    const binary = await staging.executable("one");
    const bytes = await Deno.readFile(binary);
    const machine = bytes[18] === 0xb7 ? 0x3e : 0xb7;
    bytes[18] = machine;
    await Deno.writeFile(binary, bytes);
    const foreign = await staging.install("--binary", binary);
    assertEquals(foreign.code, 1);
    assertStringIncludes(foreign.err, "but this machine is");
    const name = machine === 0xb7 ? "aarch64" : "x86_64";
    const image = await staging.install(
      ...["--binary", binary, "--architecture", name, "--dry-run"],
    );
    assertEquals(image.code, 0, image.err);

    await Deno.writeTextFile(binary, "#!/bin/sh\n");
    const script = await staging.install("--binary", binary);
    assertEquals(script.code, 1);
    assertStringIncludes(script.err, "is no executable for Linux");
    assertEquals(await staging.list(), []);
  },
);

await programTest(
  "install.sh leaves the old executable whole when it fails half way",
  [],
  async () => {
    await using staging = await Staging.make();
    await staging.install("--binary", await staging.executable("one"));
    const old = await sha256(staging.root + BIN);
    await Deno.remove(`${staging.root}/etc/kingbus`, { recursive: true });
    // A file stands where its folder should be.
    await Deno.writeTextFile(`${staging.root}/etc/kingbus`, "");
    const newer = await staging.executable("two");
    const half = await staging.install("--binary", newer);
    assert(half.code !== 0);
    assertStringIncludes(half.err, "taken back");
    assertEquals(await sha256(`${staging.root}${BIN}.previous`), old);
    assertEquals(
      (await staging.list()).filter((path) => path.includes(".new.")),
      [],
    );

    await Deno.remove(`${staging.root}/etc/kingbus`);
    const again = await staging.install("--binary", newer);
    assertEquals(again.code, 0, again.err);
    assertEquals(await sha256(staging.root + BIN), await sha256(newer));
  },
);

await programTest(
  "install.sh leaves the old executable when the disk is full",
  ["unshare", "mount"],
  async () => {
    await using staging = await Staging.make();
    const binary = await staging.executable("one");
    // In a mount namespace of its own, so that nothing is left behind.
    const script = `
      set -e
      mount -t tmpfs -o size=300k none "$1"
      mkdir -p "$1/usr/local/bin"
      echo old >"$1/usr/local/bin/kingbus"
      dd if=/dev/zero of="$2" bs=1k count=600 conv=notrunc oflag=append status=none
      ! "$0" --root "$1" --binary "$2" >&2 || exit 9
      cat "$1/usr/local/bin/kingbus"; ls "$1/usr/local/bin"`;
    const { code, stdout, stderr } = await new Deno.Command("unshare", {
      args: ["-m", "sh", "-c", script, INSTALL, staging.root, binary],
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    assertEquals(new TextDecoder().decode(stdout), "old\nkingbus\n");
  },
  () => Deno.uid() === 0 ? undefined : "only root can mount",
);

await programTest(
  "install.sh --dry-run changes nothing and says what it would do",
  [],
  async () => {
    await using staging = await Staging.make();
    const binary = await staging.executable("one");
    const { code, out } = await staging.install(
      ...["--binary", binary, "--dry-run"],
    );
    assertEquals(code, 0);
    assertStringIncludes(out, `would write ${staging.root}${BIN} (755`);
    assertEquals(await staging.list(), []);
  },
);

await programTest(
  "install.sh --uninstall keeps configuration and data, --purge asks for them",
  [],
  async () => {
    await using staging = await Staging.make();
    await staging.install("--binary", await staging.executable("one"));
    await Deno.writeTextFile(`${staging.root}/var/lib/kingbus/kingbus.db`, "x");
    const { code, out } = await staging.install("--uninstall");
    assertEquals(code, 0);
    assertStringIncludes(out, "kept:");
    const kept = await staging.list();
    assert(kept.includes(`640 ${CONFIG}`));
    assert(kept.some((path) => path.endsWith("/var/lib/kingbus/kingbus.db")));
    assert(!kept.some((path) => path.includes("/bin/kingbus")));
    assert(!kept.some((path) => path.includes("kingbus.service")));

    // Nobody is there to be asked.
    const refused = await staging.install("--uninstall", "--purge");
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.err, "--yes");
    assertEquals(await staging.list(), kept);
    const purged = await staging.install("--uninstall", "--purge", "--yes");
    assertEquals(purged.code, 0, purged.err);
    const left = await staging.list();
    assertEquals(left.filter((path) => path.includes("kingbus")), []);
  },
);

await programTest(
  "install.sh says what it does not understand with exit code 2",
  [],
  async () => {
    await using staging = await Staging.make();
    for (
      const args of [
        ["--nonsense"],
        ["--binary"],
        ["--purge"],
        ["--prefix", "relative"],
        ["--prefix", "/with space"],
        ["--architecture"],
      ]
    ) {
      const { code, err } = await staging.install(...args);
      assertEquals(code, 2, args.join(" "));
      assertStringIncludes(err, "--help tells more");
    }
    const { code, out } = await staging.install("--help");
    assertEquals(code, 0);
    assertStringIncludes(out, "--uninstall");
  },
);

await programTest(
  "install.sh takes an empty value for none, and does not do to / what was meant for --root",
  [],
  async () => {
    await using staging = await Staging.make();
    const binary = await staging.executable("one");
    for (
      const args of [
        ["--root", "", "--dry-run", "--binary", binary],
        ["--root", "", "--dry-run", "--uninstall", "--purge", "--yes"],
        ["--checksum", "", "--binary", binary],
        ["--prefix", "", "--binary", binary],
        ["--binary"],
      ]
    ) {
      const { code, err } = await staging.install(...args);
      assertEquals(code, 2, `${args.join(" ")}: ${err}`);
      assertStringIncludes(err, "takes a value");
    }
    assertEquals(await staging.list(), []);
  },
);

await programTest(
  "install.sh removes only its own files where the folder's name has blanks",
  [],
  async () => {
    await using staging = await Staging.make();
    const binary = await staging.executable("one");
    // What a name that falls apart at its blank would mean.
    const other = `${staging.root}/image`;
    const root = `${staging.root}/image of kb1 *`;
    await Deno.writeTextFile(other, "of somebody");
    await Deno.mkdir(root);
    const { code, err } = await staging.install(
      "--root",
      root,
      "--binary",
      binary,
    );
    assertEquals([code, err.includes("rm:")], [0, false], err);
    assertEquals(await Deno.readTextFile(other), "of somebody");
    const found = await listBelow(root, "");
    assertEquals(found.filter((path) => path.includes(".new.")), []);
    assert(found.includes(`755 ${BIN}`), found.join());
  },
);

await programTest(
  "install.sh leaves a configuration that is a link, also to what is not there now",
  [],
  async () => {
    await using staging = await Staging.make();
    const binary = await staging.executable("one");
    await Deno.mkdir(`${staging.root}/etc/kingbus`, { recursive: true });
    await Deno.symlink("/nowhere/kingbus.yaml", staging.root + CONFIG);
    const { code, out, err } = await staging.install("--binary", binary);
    assertEquals(code, 0, err);
    assertStringIncludes(out, "stays as it is");
    assertEquals(
      await Deno.readLink(staging.root + CONFIG),
      "/nowhere/kingbus.yaml",
    );
  },
);
