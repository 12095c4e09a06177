#!/bin/bash
# A machine for one document: what a reader has in front of them, on top of
# this machine's file system, and gone with its first process. It is run by
# document_machine.ts in namespaces of its own:
#
#   unshare --mount --net --pid --uts --fork --kill-child machine.sh BASE FOLDER...
#
# BASE is an empty folder; each FOLDER is needed and may be on another disk
# than the root. Nothing that is written in it reaches the disks below, and
# no packet leaves its loopback interface, on which every port is free.
set -euo pipefail
base=$1
shift
mount -t tmpfs none "$base"
root=$base/root
mkdir "$root"

overlay() { # folder
  local name=$base/layer$((++layers))
  mkdir -p "$name/upper" "$name/work"
  mount -t overlay overlay \
    -o "lowerdir=$1,upperdir=$name/upper,workdir=$name/work" "$root/${1#/}"
}

layers=0
overlay /
for folder; do
  [[ -d $folder ]] || continue
  # the layer over / does not show what is mounted in it
  [[ $(stat -c %d "$folder") == $(stat -c %d /) ]] && continue
  mkdir -p "$root/${folder#/}"
  overlay "$folder"
done
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
ip link set lo up
hostname kingbus-host
mkdir -p "$root/run/document"
echo ready
# Until whoever started it has gone; bash, since it also buries orphans.
exec chroot "$root" /bin/bash -c 'while read -r line; do :; done'
