#!/bin/sh
# Turn the root tree of a container image into a disk that boots on its own kernel.
# Usage: build.sh MIRROR FOLDER < TREE.tar     (as root, in a mount namespace of its own)
# Writes root.img, vmlinuz and initrd.img into FOLDER.
set -eu
umask 022
export LC_ALL=C DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mirror=$1 folder=$2
here=$(dirname "$(readlink -f "$0")")
work=$folder/tree

exec 1>&2

in_tree() { chroot "$work" "$@"; }

say() { echo "bedplate: $*"; }

clean() { umount "$work/proc" 2>/dev/null || true; rm -rf "$work" "$folder/lists"; }

clean
mkdir -p "$work"
trap clean EXIT
trap 'exit 130' INT TERM HUP

say "unpacking the root tree"
tar --directory "$work" --extract --numeric-owner --xattrs --xattrs-include='*'
cp -R "$here/root/." "$work/"
cp /etc/resolv.conf "$work/etc/resolv.conf"
printf '#!/bin/sh\nexit 101\n' > "$work/usr/sbin/policy-rc.d"
chmod 0755 "$work/usr/sbin/policy-rc.d" "$work/usr/local/sbin/bedplate-lab-seed"
mkdir -p "$work/etc/dpkg/dpkg.cfg.d"
echo force-unsafe-io > "$work/etc/dpkg/dpkg.cfg.d/build"

say "installing the kernel"
release=$(. "$work/etc/os-release"; echo "$VERSION_CODENAME")
# The image's short index of packages comes back afterwards.
mv "$work/var/lib/apt/lists" "$folder/lists"
mkdir -p "$work/var/lib/apt/lists/partial"
in_tree mount -t proc proc /proc
echo "deb $mirror $release main" > "$work/etc/apt/sources.list"
in_tree apt-get -q update
in_tree apt-get -q -y --no-install-recommends -o APT::Keep-Downloaded-Packages=false install \
    linux-image-amd64 initramfs-tools udev kmod zstd netbase
umount "$work/proc"
rm -rf "$work/var/lib/apt/lists"
mv "$folder/lists" "$work/var/lib/apt/lists"
in_tree apt-cache gencaches

say "setting up what a container does not have"
in_tree systemctl unmask getty.target systemd-udevd.service systemd-udev-trigger.service systemd-udevd-control.socket \
    systemd-udevd-kernel.socket systemd-modules-load.service sys-kernel-debug.mount sys-kernel-tracing.mount \
    sys-fs-fuse-connections.mount sys-kernel-config.mount dev-hugepages.mount dev-mqueue.mount
in_tree systemctl disable bedplate-lab-sysctl.service bedplate-lab-hostkey.service
in_tree systemctl disable apt-daily.timer apt-daily-upgrade.timer
in_tree systemctl mask e2scrub_all.timer systemd-networkd-wait-online.service
in_tree systemctl enable bedplate-lab-seed.service systemd-networkd.service ssh.service
rm -f "$work/etc/systemd/system/bedplate-lab-sysctl.service" "$work/etc/systemd/system/bedplate-lab-hostkey.service"
printf '/dev/vda / ext4 defaults,errors=remount-ro 0 1\n' > "$work/etc/fstab"
rm -f "$work/usr/sbin/policy-rc.d" "$work/etc/dpkg/dpkg.cfg.d/build" "$work/etc/resolv.conf" "$work/etc/hostname"
: > "$work/etc/machine-id"
rm -rf "$work/tmp"/* "$work/var/log/apt"/*

say "writing the disk"
cp "$work"/boot/vmlinuz-* "$folder/vmlinuz"
mv "$work"/boot/initrd.img-* "$folder/initrd.img"
truncate -s 6G "$folder/root.img"
mkfs.ext4 -q -L root -E lazy_itable_init=0,lazy_journal_init=0 -m 0 -d "$work" "$folder/root.img"
