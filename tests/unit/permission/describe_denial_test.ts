import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  type DenialSurroundings,
  describeDenial,
  MORE_FOLDERS_VARIABLE,
} from "../../../lib/permission/describe_denial.ts";

const EXECUTABLE: DenialSurroundings = {
  isExecutable: true,
  os: "linux",
  startedIn: "/srv/kb",
  mayUse: (kind, folder) =>
    kind === "write"
      ? [".", "/var/lib/kingbus", "/mnt/a", "/mnt/b"].includes(folder)
      : ["/etc/kingbus", "/etc/ssl"].includes(folder),
  env: () => undefined,
};

/** As Deno words it in an executable. */
function refused(kind: string, what: string): Error {
  return new Deno.errors.NotCapable(
    `Requires ${kind} access to ${what}, specify the required permissions during compilation using \`deno compile --allow-${kind}\``,
  );
}

Deno.test("describeDenial() says what was refused, what may be used, and both ways out", () => {
  assertEquals(
    describeDenial(refused("write", '"/mnt/nvme/kingbus"'), EXECUTABLE),
    "this executable may not write /mnt/nvme/kingbus: it may only use the folder it was started in (/srv/kb), /var/lib/kingbus, and read /etc/kingbus, /etc/ssl; start it in a folder that holds it, or make an executable that may: deno task compile --folder /mnt/nvme/kingbus",
  );
});

Deno.test("describeDenial() names the folder of a file, whole, for the build", () => {
  const folders = [
    ['"/mnt/x/kingbus.yaml"', "/mnt/x"],
    ['"/mnt/x/binlog.000001"', "/mnt/x"],
    ['"/mnt/x/kingbus.db-wal"', "/mnt/x"],
    ['"../other/kingbus.yaml"', "/srv/other"],
    ['"/mnt/v1.2/data"', "/mnt/v1.2/data"],
    ['"/kingbus.yaml"', "/kingbus.yaml"],
  ];
  for (const [what, folder] of folders) {
    assertEquals(
      describeDenial(refused("read", what!), EXECUTABLE).split("--folder ")[1],
      folder,
      what,
    );
  }
});

Deno.test("describeDenial() counts the folders that the executable was made with", () => {
  const env = (name: string) =>
    name === MORE_FOLDERS_VARIABLE ? "/mnt/a,/mnt/b" : undefined;
  assertStringIncludes(
    describeDenial(refused("read", '"/x"'), { ...EXECUTABLE, env }),
    "(/srv/kb), /var/lib/kingbus, /mnt/a, /mnt/b, and read",
  );
});

Deno.test("describeDenial() says which variables it reads", () => {
  assertEquals(
    describeDenial(refused("env", '"MYSQL_PWD"'), EXECUTABLE),
    "this executable may not read the environment variable MYSQL_PWD: it reads those whose names begin with KINGBUS_; give it such a name, or make an executable that may: deno task compile --env MYSQL_PWD",
  );
});

Deno.test("describeDenial() leaves Deno's words to those who start deno", () => {
  const error = new Deno.errors.NotCapable(
    'Requires read access to "/x", run again with the --allow-read flag',
  );
  assertEquals(
    describeDenial(error, { ...EXECUTABLE, isExecutable: false }),
    error.message,
  );
});

Deno.test("describeDenial() says of anything else what was refused", () => {
  assertEquals(
    describeDenial(refused("sys", '"uid"'), EXECUTABLE),
    'Requires sys access to "uid"',
  );
  const unknown = new Deno.errors.NotCapable("no");
  assertEquals(describeDenial(unknown, EXECUTABLE), "no");
});

Deno.test({
  name: "describeError() tells a refusal as describeDenial() does",
  permissions: { read: false },
  fn: async () => {
    const { describeError } = await import(
      "../../../lib/log/describe_error.ts"
    );
    let said = "";
    try {
      Deno.readTextFileSync("/x/y");
    } catch (error) {
      said = describeError(new Error("Cannot read it", { cause: error }));
    }
    assertStringIncludes(
      said,
      'Cannot read it: Requires read access to "/x/y"',
    );
  },
});
