#!/bin/sh
# Make the root tree of one Debian release and write it to standard output as a tar archive.
# Usage: build.sh RELEASE MIRROR PACKAGES_FILE   (as root, in a mount namespace of its own)
set -eu
umask 022
export LC_ALL=C DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
release=$1 mirror=$2 packages=$3
here=$(dirname "$(readlink -f "$0")")
work=/var/cache/bedplate-lab/$release

exec 3>&1 1>&2

in_tree() { chroot "$work/tree" "$@"; }

say() { echo "bedplate: $*"; }

clean() { cd / && umount "$work" 2>/dev/null || true; rm -rf "$work"; rmdir /var/cache/bedplate-lab 2>/dev/null || true; }

# A killed build leaves its tree only where memory was short; the next build of the release removes it.
clean
mkdir -p "$work"
chmod 0700 /var/cache/bedplate-lab "$work"
trap clean EXIT
trap 'exit 130' INT TERM HUP
available=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
if [ "$available" -gt 3500000 ]; then
    mount -t tmpfs -o mode=0700,size=1500m tmpfs "$work"
fi

say "installing the base system"
# The tree is thrown away when the build fails: syncing every file to disk only costs time.
mkdir -p "$work/tree/etc/dpkg/dpkg.cfg.d"
echo force-unsafe-io > "$work/tree/etc/dpkg/dpkg.cfg.d/build"
debootstrap --variant=minbase --include=ca-certificates --force-check-gpg \
    --keyring=/usr/share/keyrings/debian-archive-keyring.gpg "$release" "$work/tree" "$mirror"
cp /etc/resolv.conf "$work/tree/etc/resolv.conf"
cp -R "$here/root/." "$work/tree/"
echo "deb $mirror $release main" > "$work/tree/etc/apt/sources.list"
printf '#!/bin/sh\nexit 101\n' > "$work/tree/usr/sbin/policy-rc.d"
chmod 0755 "$work/tree/usr/sbin/policy-rc.d"
in_tree mount -t proc proc /proc
in_tree apt-get -q update
in_tree apt-get clean

say "installing systemd, sshd and python3"
in_tree apt-get -q -y --no-install-recommends install systemd systemd-sysv dbus libpam-systemd openssh-server python3 \
    python3-apt sudo iproute2 procps iputils-ping nftables
in_tree apt-get clean

say "downloading what the roles install"
wanted=$(awk -v release="$release" '!/^#/ && NF && (NF == 1 || $2 == release) {print $1}' "$packages")
# shellcheck disable=SC2086
in_tree apt-get -q -y --download-only install $wanted

say "keeping the index of what is in the image only"
# apt builds its cache anew whenever a package is installed: a second and more of CPU a host for the whole archive's
# index, and nothing for these few hundred packages. `apt-get update` on a host brings the whole index.
{ in_tree dpkg-query -W -f '${Package}\n'; find "$work/tree/var/cache/apt/archives" -name '*.deb' -printf '%f\n'; } |
    sed 's/_.*//' | sort -u > "$work/names"
for index in "$work/tree/var/lib/apt/lists"/*_Packages; do
    awk -v RS= -v ORS='\n\n' -v names="$work/names" \
        'BEGIN { while ((getline line < names) > 0) { split(line, part, "\n"); for (i in part) kept[part[i]] } }
         $2 in kept' "$index" > "$work/index"
    cat "$work/index" > "$index"
done
in_tree apt-cache gencaches

say "setting up accounts and services"
in_tree useradd --create-home --shell /bin/bash --comment "Ansible" ansible
in_tree useradd --create-home --shell /bin/bash --comment "Alice, a colleague" alice
in_tree useradd --create-home --shell /bin/bash --comment "Bob, a colleague" bob
in_tree chmod 0440 /etc/sudoers.d/bedplate-lab
in_tree systemctl enable bedplate-lab-hostkey.service bedplate-lab-sysctl.service ssh.service
# Ansible logs in again and again: its user manager stays, so that a login does not start one.
mkdir -p "$work/tree/var/lib/systemd/linger"
: > "$work/tree/var/lib/systemd/linger/ansible"
# A container shares the machine's kernel and console: these have nothing to act on.
in_tree systemctl mask getty.target console-getty.service systemd-udevd.service systemd-udev-trigger.service \
    systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-modules-load.service systemd-firstboot.service \
    sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount sys-kernel-config.mount \
    dev-hugepages.mount dev-mqueue.mount proc-sys-fs-binfmt_misc.automount
rm -f "$work/tree"/etc/ssh/ssh_host_* "$work/tree/usr/sbin/policy-rc.d" "$work/tree/etc/dpkg/dpkg.cfg.d/build"
: > "$work/tree/etc/machine-id"
rm -f "$work/tree/var/lib/dbus/machine-id" "$work/tree/etc/hostname" "$work/tree/etc/resolv.conf"
rm -rf "$work/tree/var/log"/*.log "$work/tree/var/log/apt"/* "$work/tree/tmp"/* "$work/tree/var/tmp"/*
in_tree umount /proc

say "packing the image"
# File capabilities are extended attributes: ping has one.
tar --directory "$work/tree" --create --numeric-owner --sort=name --xattrs --xattrs-include=security.capability . >&3
