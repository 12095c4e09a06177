import type { DocumentRun } from "./document_run.ts";

/**
 * What `systemctl` does with kingbus's unit, where no systemd runs: the unit
 * itself is tried by tests/integration/scripts/systemd_test.ts.
 */
const SYSTEMCTL = `#!/bin/bash
log=/run/document/kingbus.log pid=/run/document/kingbus.pid
export KINGBUS_CONFIG=/etc/kingbus/kingbus.yaml
start() {
  cd /var/lib/kingbus || exit
  setsid kingbus serve >>$log 2>&1 </dev/null &
  echo $! >$pid
  until kingbus ready --serving 2>/dev/null; do
    kill -0 "$(cat $pid)" || { cat $log; exit 1; }
    sleep 0.1
  done
}
stop() {
  [ -f $pid ] || return 0
  kill "$(cat $pid)"
  while kill -0 "$(cat $pid)" 2>/dev/null; do sleep 0.1; done
  rm $pid
}
case "$*" in
  "enable --now kingbus" | "start kingbus") start ;;
  "stop kingbus" | "disable --now kingbus") stop ;;
  "restart kingbus") stop && start ;;
  "reload kingbus") kill -HUP "$(cat $pid)" ;;
  "show -P MainPID kingbus") cat $pid ;;
  *) echo "systemctl in a document's test does not know: $*" >&2; exit 1 ;;
esac
`;

/** The service's log, whatever part of it is asked for. */
const JOURNALCTL = `#!/bin/sh
[ "$1 $2" = "-u kingbus" ] && exec cat /run/document/kingbus.log
echo "journalctl in a document's test does not know: $*" >&2
exit 1
`;

/** There is one user in a document's machine. */
const RUNUSER = `#!/bin/sh
[ "$1 $2 $3" = "-u kingbus --" ] || exit 1
shift 3
exec "$@"
`;

/**
 * Gives a document's machine what `install.sh` leaves behind, and stand-ins for
 * the programs that speak to a service.
 */
export async function installStandIns({ machine }: DocumentRun): Promise<void> {
  const programs = {
    systemctl: SYSTEMCTL,
    journalctl: JOURNALCTL,
    runuser: RUNUSER,
  };
  for (const [name, text] of Object.entries(programs)) {
    await machine.writeFile(`/usr/local/sbin/${name}`, text, 0o755);
  }
  await machine.must(
    "useradd --system --user-group --no-create-home kingbus && install -d -o kingbus -g kingbus /etc/kingbus /etc/kingbus/secrets /var/lib/kingbus",
  );
}
