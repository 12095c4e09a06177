import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { freePort } from "../../../scripts/test_servers/free_port.ts";
import {
  REPLICATION_ACCOUNT,
  startMysql56,
} from "../../../scripts/test_servers/mysql56.ts";
import { makeExecutable } from "../../support/executable.ts";
import { programTest } from "../../support/program_test.ts";
import {
  SYSTEMD_MACHINE_PROGRAMS,
  SystemdMachine,
} from "../../support/systemd_machine.ts";

const CONFIG = "/etc/kingbus/kingbus.yaml";

/** A configuration; its source may be nobody. */
function config(ports: { source: number; server: number; admin: number }) {
  const { user, password } = REPLICATION_ACCOUNT;
  return `
data-dir: /var/lib/kingbus
admin: { listen: "127.0.0.1:${ports.admin}" }
server:
  listen: 127.0.0.1:${ports.server}
  users: [{ name: ${user}, password: ${password} }]
source:
  address: 127.0.0.1:${ports.source}
  user: ${user}
  password-file: /run/credentials/kingbus.service/source-password
`;
}

/** Reads the secret as root, which kingbus may not. */
const CREDENTIALS = `[Service]
LoadCredential=source-password:/etc/kingbus/secrets/source-password
`;

/** Puts a file into the machine. */
function write(path: string, text: string): string {
  return `mkdir -p ${path.slice(0, path.lastIndexOf("/"))}
cat >${path} <<'END'
${text}
END
`;
}

/** Properties of the unit, by name. */
async function properties(
  machine: SystemdMachine,
): Promise<Map<string, string>> {
  const text = await machine.must("systemctl show kingbus");
  return new Map(
    text.split("\n").map((line): [string, string] => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

/**
 * Upgrades to an executable, if one can be made, and starts it; the machine
 * has a kingbus that was stopped.
 */
async function tryUpgrade(
  machine: SystemdMachine,
  install: string,
  kingbus: string,
): Promise<void> {
  const executable = await makeExecutable("kingbus");
  if (typeof executable === "string") {
    console.error(`SKIPPED the upgrade to an executable: ${executable}`);
    return;
  }
  // An older runtime, which tests may have to do with, lacks it.
  if (executable.shortfall !== undefined) {
    await machine.must(
      `sed -i 's/^server:/&\\n  tls: { mode: disabled }/' ${CONFIG}`,
    );
  }
  await machine.must("systemctl start kingbus");
  const binary = await machine.put(executable.path, "kingbus");
  const wrong = await machine.run(
    `${install} --binary ${binary} --checksum ${"0".repeat(64)}`,
  );
  assertEquals(wrong.code, 1);
  // One that does not take the configuration does not get to its place.
  await machine.must(
    `cp ${CONFIG} /var/tmp/kept && echo 'nonsense: 1' >>${CONFIG}`,
  );
  const refused = await machine.run(`${install} --binary ${binary}`);
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.output, "nonsense");
  await machine.must(
    `cat /var/tmp/kept >${CONFIG}; head -c 2 /usr/local/bin/kingbus | grep -q '#!'`,
  );

  const { output } = await machine.run(`${install} --binary ${binary}`);
  assertStringIncludes(output, "is the old one until");
  if (executable.shortfall !== undefined) {
    // Nor does it read what a newer one has written.
    await machine.must(
      "systemctl stop kingbus && find /var/lib/kingbus -mindepth 1 -delete && systemctl start kingbus",
    );
  }
  await machine.must(`${install} --binary ${binary} --restart`);
  assertEquals(
    await machine.must(
      `cmp ${binary} /usr/local/bin/kingbus && head -c 2 /usr/local/bin/kingbus.previous`,
    ),
    "#!",
  );
  await machine.must("systemctl restart kingbus");
  await machine.must(`${kingbus} ready --wait 60s`);
  const log = await machine.must("journalctl -u kingbus --no-pager -n 30");
  assert(!/ ERROR |Operation not permitted/.test(log), log);
  await machine.must("systemctl stop kingbus");
}

await programTest(
  "kingbus runs as a service of a real systemd, confined, with and without its source",
  [...SYSTEMD_MACHINE_PROGRAMS, "useradd"],
  async () => {
    await using source = await startMysql56();
    await using machine = await SystemdMachine.boot();
    const ports = { server: freePort(), admin: freePort() };
    const install = `${SystemdMachine.project}/scripts/install.sh`;

    // Installed as on any machine; what is installed is a program that takes
    // all arguments, then what runs kingbus from this folder.
    const said = await machine.must(`${install} --binary /bin/echo`);
    assertStringIncludes(said, "systemctl enable --now kingbus");
    assertEquals(
      await machine.must(
        `stat -c '%a %U:%G %n' /etc/kingbus ${CONFIG} /etc/kingbus/secrets /var/lib/kingbus`,
      ),
      `750 root:kingbus /etc/kingbus
640 root:kingbus ${CONFIG}
750 root:kingbus /etc/kingbus/secrets
700 kingbus:kingbus /var/lib/kingbus
`,
    );
    await machine.must(
      write("/usr/local/bin/kingbus", await SystemdMachine.kingbusScript()) +
        write(
          "/etc/kingbus/secrets/source-password",
          REPLICATION_ACCOUNT.password,
        ) +
        "chmod 600 /etc/kingbus/secrets/source-password\n" +
        write(
          "/etc/systemd/system/kingbus.service.d/credentials.conf",
          CREDENTIALS,
        ) + "systemctl daemon-reload",
    );
    const configure = async (sourcePort: number): Promise<void> => {
      const text = config({ source: sourcePort, ...ports });
      await machine.must(write(CONFIG, text));
    };
    const kingbus = `KINGBUS_CONFIG=${CONFIG} kingbus`;

    // The source is away at boot: the unit is up, serves, and is not ready.
    await configure(freePort());
    await machine.must("systemctl start kingbus");
    assertEquals(await machine.must("systemctl is-active kingbus"), "active\n");
    await machine.must(`${kingbus} ready --serving`);
    const { code, output } = await machine.run(`${kingbus} ready`);
    assertEquals(code, 3);
    assertStringIncludes(output, "not ready: syncer");

    // It follows a real one.
    await configure(source.port);
    await machine.must("systemctl restart kingbus");
    await source.query("CREATE DATABASE confined");
    await source.query("CREATE TABLE confined.t (a INT PRIMARY KEY)");
    await source.query("INSERT INTO confined.t VALUES (1)");
    await machine.must(`${kingbus} ready --wait 60s`);
    const { rows: [status] } = await source.query("SHOW MASTER STATUS");
    const [file, position] = status ?? [];
    const wanted = `"last_file_position":${position}`;
    await machine.must(
      `for i in $(seq 100); do ${kingbus} status --json | tr -d ' \\n' | grep -q '${wanted}' && exit; sleep 0.2; done; exit 1`,
    );
    assert(file !== undefined && Number(position) > 120);

    // It is confined: no privilege, no capability, a filter of system calls.
    const { get } = await properties(machine).then((all) => ({
      get: (name: string) => all.get(name),
    }));
    const pid = get("MainPID");
    const confined = await machine.must(`cat /proc/${pid}/status`);
    assertStringIncludes(confined, "CapEff:\t0000000000000000");
    assertStringIncludes(confined, "CapBnd:\t0000000000000000");
    assertStringIncludes(confined, "NoNewPrivs:\t1");
    assertStringIncludes(confined, "Seccomp:\t2");
    // The kernel's audit would have more; a call that was refused and mattered
    // is an error in the log.
    const journal = await machine.must("journalctl -u kingbus --no-pager");
    assert(!/ ERROR |EPERM|Operation not permitted/.test(journal), journal);

    // SIGHUP reads certificates again and ends nothing.
    await machine.must("systemctl reload kingbus");
    assertEquals(await machine.must("systemctl is-active kingbus"), "active\n");

    // A crash: systemd starts it again, and it goes on where it was.
    await machine.must(`kill -KILL ${pid}`);
    await machine.must(
      `for i in $(seq 300); do [ "$(systemctl show -P NRestarts kingbus)" = 1 ] && systemctl is-active -q kingbus && exit; sleep 0.1; done; exit 1`,
    );
    await machine.must(`${kingbus} ready --wait 60s`);

    // A stop drains: exit code 0, well before systemd would kill it.
    await machine.must("systemctl stop kingbus");
    const stopped = await properties(machine);
    assertEquals(stopped.get("Result"), "success");
    assertEquals(stopped.get("ExecMainStatus"), "0");

    await tryUpgrade(machine, install, kingbus);

    // A configuration that is refused is not tried again and again.
    await machine.must(`echo 'nonsense: 1' >>${CONFIG}`);
    const refused = await machine.run("systemctl start kingbus");
    assert(refused.code !== 0);
    const failed = await properties(machine);
    assertEquals(failed.get("ActiveState"), "failed");
    assertEquals(failed.get("ExecMainStatus"), "2");

    // Gone, but for what it kept.
    await machine.must(`${install} --uninstall`);
    const { output: left } = await machine.run(
      "ls /usr/local/bin/kingbus /etc/systemd/system/kingbus.service /var/lib/kingbus/kingbus.db",
    );
    assertStringIncludes(left, "\n/var/lib/kingbus/kingbus.db\n");
    await machine.must(`${install} --uninstall --purge --yes`);
    const { code: user } = await machine.run("getent passwd kingbus");
    assertEquals(user, 2);
  },
  SystemdMachine.obstacle,
);
