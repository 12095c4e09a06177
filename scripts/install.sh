#!/bin/sh
# Puts kingbus in place on this machine: the executable, the unit for systemd,
# a configuration with comments, the user it runs as. Run it again to upgrade.
# `install.sh --help` tells all.
set -eu

NAME=kingbus
SELF=$0
FOLDER=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

usage() {
  cat <<'END'
Puts kingbus in place on this machine, or brings it up to date.

  install.sh [--binary FILE] [--checksum SHA256] [options]
  install.sh --uninstall [--purge [--yes]] [options]

  --binary FILE      The executable. Without it: kingbus beside this script, or
                     ../dist/kingbus.
  --checksum SHA256  What the executable's SHA-256 must be. Without it: what
                     FILE.sha256 or SHA256SUMS beside the executable says.
  --prefix DIR       The executable goes to DIR/bin [/usr/local].
  --root DIR         Puts everything below DIR, for a package or an image. No
                     user is made then, and systemd is not told.
  --architecture A   What the executable has to be for, x86_64 or aarch64, with
                     --root [this machine's].
  --restart          Restarts kingbus if it runs, so that what was installed is
                     used at once. Without it a running one goes on as it is.
  --no-systemd       No unit, on machines that have systemd too.
  --uninstall        Stops kingbus, removes executable and unit. Configuration,
                     data and logs stay.
  --purge            With --uninstall: those too, and the user. Asks first.
  --yes              Does not ask.
  --dry-run          Says what would be done and does nothing.
  --help             This.

What there is after it:

  /usr/local/bin/kingbus            and kingbus.previous, what an upgrade replaced
  /etc/systemd/system/kingbus.service
  /etc/kingbus/kingbus.yaml         0640 root:kingbus, never overwritten
  /etc/kingbus/kingbus.yaml.example what a new one would be
  /etc/kingbus/secrets              0750, passwords and tokens in files of 0600
  /var/lib/kingbus                  0700 kingbus, made by systemd or by this

Exit code 0: done; 1: not done, with nothing changed or as the last lines say;
2: not understood.
END
}

say() { printf '%s\n' "$*"; }
warn() { printf 'install.sh: %s\n' "$*" >&2; }
die() {
  warn "$*"
  exit 1
}
misused() {
  warn "$* (install.sh --help tells more)"
  exit 2
}

binary='' checksum='' prefix=/usr/local root='' architecture=''
restart=0 systemd=1 action=install purge=0 yes=0 dry=0

# An empty one is a variable that was not set: --root "" must not mean /.
value() { # flag, what follows it
  [ -n "$2" ] || misused "$1 takes a value"
}
while [ $# -gt 0 ]; do
  case $1 in
    --binary) value "$1" "${2-}" && binary=$2 && shift ;;
    --checksum) value "$1" "${2-}" && checksum=$2 && shift ;;
    --prefix) value "$1" "${2-}" && prefix=$2 && shift ;;
    --root) value "$1" "${2-}" && root=$2 && shift ;;
    --architecture) value "$1" "${2-}" && architecture=$2 && shift ;;
    --restart) restart=1 ;;
    --no-systemd) systemd=0 ;;
    --uninstall) action=uninstall ;;
    --purge) purge=1 ;;
    --yes) yes=1 ;;
    --dry-run) dry=1 ;;
    --help | -h) usage && exit 0 ;;
    *) misused "there is no option $1" ;;
  esac
  shift
done
case $prefix in
  *[!A-Za-z0-9/._-]* | [!/]*) misused "--prefix takes an absolute path of letters, digits and . _ -: not $prefix" ;;
esac
[ "$purge" = 0 ] || [ "$action" = uninstall ] || misused "--purge goes with --uninstall"
[ -z "$architecture" ] || [ -n "$root" ] || misused "--architecture goes with --root"
prefix=${prefix%/}
if [ -n "$root" ]; then
  if [ ! -d "$root" ]; then misused "--root takes a folder that is there: not $root"; fi
  root=$(CDPATH='' cd -- "$root" && pwd)
  [ "$root" != / ] || root=''
fi
LINE_END='
'
case $root in
  *"$LINE_END"*) misused "--root takes a folder in whose name no line ends" ;;
esac

# Where things go. Paths without root are what ends up in files.
bin=$prefix/bin/$NAME
unit=/etc/systemd/system/$NAME.service
backoff=/etc/systemd/system/$NAME.service.d/10-backoff.conf
etc=/etc/$NAME
config=$etc/$NAME.yaml
data=/var/lib/$NAME
logs=/var/log/$NAME

# Files that are not in their place yet, one a line.
staged=''
stage() { # path
  staged=$staged$1$LINE_END
}
finish() {
  status=$?
  if [ -n "$staged" ]; then
    printf %s "$staged" | while IFS= read -r file; do rm -f -- "$file"; done
    if [ "$status" != 0 ]; then
      warn "what was not finished has been taken back; what stood there before is as it was"
    fi
  fi
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Does it, or says what would be done.
run() {
  if [ "$dry" = 1 ]; then
    say "would run: $*"
  else
    "$@"
  fi
}

is_root() { [ "$(id -u)" = 0 ]; }
has_systemd() { [ "$systemd" = 1 ] && [ -z "$root" ] && [ -d /run/systemd/system ] && command -v systemctl >/dev/null 2>&1; }
has_user() { getent passwd "$NAME" >/dev/null 2>&1 || grep -q "^$NAME:" /etc/passwd 2>/dev/null; }
is_active() { has_systemd && systemctl is-active --quiet "$NAME"; }
same() { [ -f "$2" ] && cmp -s -- "$1" "$2"; }

sha256_of() {
  if command -v sha256sum >/dev/null 2>&1; then
    sha256sum <"$1" | cut -d' ' -f1
  elif command -v shasum >/dev/null 2>&1; then
    shasum -a 256 <"$1" | cut -d' ' -f1
  else
    die "neither sha256sum nor shasum is here, so the checksum can't be looked at"
  fi
}

# The architecture an ELF file is for, as `uname -m` names it.
architecture_of() {
  case $(od -An -tx1 -N4 -- "$1" | tr -d ' \n') in
    7f454c46) ;;
    *) say none && return ;;
  esac
  case $(od -An -tx1 -j18 -N2 -- "$1" | tr -d ' \n') in
    3e00) say x86_64 ;;
    b700) say aarch64 ;;
    *) say another ;;
  esac
}

find_binary() {
  if [ -z "$binary" ]; then
    for place in "$FOLDER/$NAME" "$FOLDER/../dist/$NAME"; do
      if [ -f "$place" ]; then binary=$place && break; fi
    done
  fi
  [ -n "$binary" ] || misused "no executable beside this script: name it with --binary"
  if [ ! -f "$binary" ] || [ ! -r "$binary" ]; then die "there is no file $binary that can be read"; fi
}

check_binary() {
  beside=$(dirname -- "$binary") base=$(basename -- "$binary")
  if [ -z "$checksum" ] && [ -f "$binary.sha256" ]; then
    checksum=$(cut -d' ' -f1 <"$binary.sha256")
  elif [ -z "$checksum" ] && [ -f "$beside/SHA256SUMS" ]; then
    checksum=$(awk -v name="$base" '$2 == name || $2 == "*" name { print $1 }' "$beside/SHA256SUMS")
  fi
  if [ -z "$checksum" ]; then
    warn "no checksum to compare $base with: go on only if you know where it comes from"
  else
    found=$(sha256_of "$binary")
    wanted=$(printf %s "$checksum" | tr 'A-F' 'a-f')
    [ "$found" = "$wanted" ] ||
      die "$binary is damaged or not what was released: its SHA-256 is $found, not $wanted"
  fi
  machine=${architecture:-$(uname -m)}
  [ "$machine" != arm64 ] || machine=aarch64
  [ "$machine" != amd64 ] || machine=x86_64
  for_machine=$(architecture_of "$binary")
  [ "$for_machine" != none ] || die "$binary is no executable for Linux"
  [ "$for_machine" = "$machine" ] ||
    die "$binary is for $for_machine, but this machine is $machine: take the other one"
}

# It must start here, and take the configuration that is there.
try_binary() { # path
  [ -z "$root" ] || return 0
  "$1" version >/dev/null 2>&1 ||
    die "$binary does not run on this machine: kingbus needs Linux with glibc 2.27 or later, and a file system without noexec at $prefix/bin"
  [ -f "$config" ] || return 0
  if ! complaint=$("$1" config check --config "$config" 2>&1); then
    die "the new kingbus refuses $config, so the old one stays: $complaint"
  fi
}

# Copies a file beside its place and moves it there, so that it is whole or not
# there at all.
put() { # from, to, mode, owner
  if [ "$dry" = 1 ]; then
    say "would write $root$2 ($3 $4)"
    return
  fi
  mkdir -p -- "$(dirname -- "$root$2")"
  new=$root$2.new.$$
  stage "$new"
  cp -- "$1" "$new"
  chmod "$3" "$new"
  own "$4" "$new"
  if [ "$2" = "$bin" ]; then
    try_binary "$new"
    keep_previous
  fi
  mv -f -- "$new" "$root$2"
}

# What an upgrade replaces can be gone back to.
keep_previous() {
  [ -f "$root$bin" ] || return 0
  ln -f -- "$root$bin" "$root$bin.previous" 2>/dev/null ||
    cp -p -- "$root$bin" "$root$bin.previous"
}

own() { # owner, path
  # In a staging folder the owner is for whoever unpacks it.
  if is_root && [ -z "$root" ]; then chown "$1" "$2"; fi
}

# One that is there keeps its mode and owner.
folder() { # path, mode, owner
  if [ -d "$root$1" ]; then return; fi
  if [ "$dry" = 1 ]; then
    say "would make $root$1 ($2 $3)"
    return
  fi
  mkdir -p -- "$root$1"
  chmod "$2" "$root$1"
  own "$3" "$root$1"
}

make_user() {
  if [ -n "$root" ]; then
    say "the user $NAME is for the machine that gets $root: useradd --system --user-group --home-dir $data --shell /usr/sbin/nologin $NAME"
    return
  fi
  if has_user; then return; fi
  if command -v useradd >/dev/null 2>&1; then
    run useradd --system --user-group --home-dir "$data" --no-create-home --shell /usr/sbin/nologin "$NAME"
  elif command -v adduser >/dev/null 2>&1; then
    # busybox
    run addgroup -S "$NAME"
    run adduser -S -D -H -h "$data" -s /sbin/nologin -G "$NAME" "$NAME"
  else
    die "neither useradd nor adduser is here: make the user $NAME by hand, then run this again"
  fi
}

systemd_version() { systemctl --version 2>/dev/null | awk 'NR == 1 { print $2 + 0 }'; }

install_unit() {
  scratch=$(mktemp)
  stage "$scratch"
  sed "s#/usr/local/bin/$NAME#$bin#g" "$FOLDER/$NAME.service" >"$scratch"
  if same "$scratch" "$root$unit"; then
    say "$root$unit is as it should be"
  else
    if [ -f "$root$unit" ] && [ "$dry" = 0 ]; then
      cp -p -- "$root$unit" "$root$unit.previous"
      say "$root$unit is replaced; the old one is $root$unit.previous. Changes of yours belong in a drop-in: systemctl edit $NAME"
    fi
    put "$scratch" "$unit" 644 root:root
  fi
  if [ -z "$root" ] && [ "$(systemd_version)" -lt 254 ]; then return 0; fi
  same "$FOLDER/$NAME.service.d/10-backoff.conf" "$root$backoff" ||
    put "$FOLDER/$NAME.service.d/10-backoff.conf" "$backoff" 644 root:root
}

install_files() {
  if same "$binary" "$root$bin"; then
    say "$root$bin is this version already"
    changed=0
  else
    put "$binary" "$bin" 755 root:root
    changed=1
  fi
  folder "$etc" 750 "root:$NAME"
  folder "$etc/secrets" 750 "root:$NAME"
  # A link that leads nowhere now is somebody's too.
  if [ -e "$root$config" ] || [ -L "$root$config" ]; then
    say "$root$config stays as it is"
  else
    put "$FOLDER/$NAME.example.yaml" "$config" 640 "root:$NAME"
  fi
  same "$FOLDER/$NAME.example.yaml" "$root$config.example" ||
    put "$FOLDER/$NAME.example.yaml" "$config.example" 644 root:root
  folder "$data" 700 "$NAME:$NAME"
}

install() {
  find_binary
  check_binary
  for file in "$NAME.service" "$NAME.service.d/10-backoff.conf" "$NAME.example.yaml"; do
    [ -f "$FOLDER/$file" ] || die "$file is missing beside $SELF"
  done
  if [ -z "$root" ] && [ "$dry" = 0 ] && ! is_root; then
    die "only root can install below /: run it with sudo, or with --root DIR"
  fi
  make_user
  install_files
  if [ "$systemd" = 1 ] && { [ -n "$root" ] || has_systemd; }; then
    install_unit
  fi
  tell_systemd
}

tell_systemd() {
  if [ -n "$root" ]; then return; fi
  if ! has_systemd; then
    say "systemd does not run here, so there is no service. Start it as the user $NAME:"
    say "  $bin serve --config $config"
    return
  fi
  run systemctl daemon-reload
  if is_active; then
    if [ "$restart" = 1 ]; then
      run systemctl restart "$NAME"
    elif [ "$changed" = 1 ]; then
      say "the kingbus that runs is the old one until: systemctl restart $NAME"
    fi
  else
    say "next: set server.users and source in $config, then: systemctl enable --now $NAME"
  fi
}

ask_to_purge() {
  if [ "$yes" = 1 ] || [ "$dry" = 1 ]; then return; fi
  [ -t 0 ] || die "--purge removes the log for good: say --yes when nobody can be asked"
  printf 'This removes %s, %s and %s for good. Type yes: ' "$root$etc" "$root$data" "$root$logs"
  read -r answer
  [ "$answer" = yes ] || die "nothing was removed"
}

uninstall() {
  if [ -z "$root" ] && [ "$dry" = 0 ] && ! is_root; then
    die "only root can remove what is installed below /: run it with sudo, or with --root DIR"
  fi
  [ "$purge" = 0 ] || ask_to_purge
  if has_systemd && [ -f "$unit" ]; then
    run systemctl disable --now "$NAME"
  fi
  for file in "$bin" "$bin.previous" "$unit" "$unit.previous" "$backoff" "$config.example"; do
    if [ -e "$root$file" ]; then run rm -f -- "$root$file"; fi
  done
  drop_ins=$root/etc/systemd/system/$NAME.service.d
  if [ -d "$drop_ins" ] && [ -z "$(ls -A "$drop_ins")" ]; then run rmdir "$drop_ins"; fi
  if has_systemd; then run systemctl daemon-reload; fi
  if [ "$purge" = 0 ]; then
    say "kept: $root$etc, $root$data and $root$logs; --uninstall --purge removes them too"
    return
  fi
  for place in "$etc" "$data" "$logs"; do
    run rm -rf -- "$root$place"
  done
  if [ -z "$root" ] && has_user && command -v userdel >/dev/null 2>&1; then
    run userdel "$NAME"
  fi
}

$action
