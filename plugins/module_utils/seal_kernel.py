# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""What the running kernel has: mounts, rules of the firewall, modules, sockets."""

from __future__ import annotations

import os
import re

from .seal_system import digest, output, read

_SWITCHES = frozenset(["ro", "rw", "nosuid", "nodev", "noexec", "nosymfollow"])
_PASSING_MOUNTS = re.compile(
    r"/(proc|sys|dev(?!/shm$)|run)(/|$)|/var/lib/(containers|docker|kubelet)/|/snap/|/etc/(hosts|hostname|resolv\.conf)$"
)
_SET = re.compile(r"^\t(?:set|map) .*?^\t\}", re.MULTILINE | re.DOTALL)
_LEARNS = re.compile(r"^\t\t(?:flags .*(?:dynamic|timeout)|timeout )", re.MULTILINE)
_ELEMENTS = re.compile(r"\n\t*elements = \{[^}]*\}")


class Mounts:
    """What is mounted, and what is to be mounted at the next boot."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, str]] = {}
        for line in read("/proc/self/mountinfo").splitlines():
            left, _, right = line.partition(" - ")
            fields, tail = left.split(), right.split()
            if len(fields) < 6 or len(tail) < 3:
                continue
            point = re.sub(r"\\(\d{3})", lambda octal: chr(int(octal.group(1), 8)), fields[4])
            options = sorted(_SWITCHES.intersection(fields[5].split(",")))
            self.found[point] = {"presence": "present", "type": tail[0], "options": ",".join(options)}
            # A disk has another name after a boot: which part of it, or which server, does not change.
            self.found[point]["source"] = fields[3] if tail[1].startswith("/dev/") else " ".join([tail[1], fields[3]])
        self._table = {}
        for row in map(str.split, read("/etc/fstab").splitlines()):
            if len(row) >= 4 and not row[0].startswith("#"):
                self._table[row[1]] = " ".join([row[0], row[2], row[3]])

    def state(self, point: str) -> dict[str, str]:
        return dict(self.found.get(point, {"presence": "absent"}), configured=self._table.get(point, ""))

    def lasting(self) -> list[str]:
        """Return the mounts that are no matter of the system's own or of containers'."""
        return [point for point in self.found if point != "/" and not _PASSING_MOUNTS.match(point)]


def tables() -> dict[str, dict[str, str]] | None:
    """Return a digest of each nftables table, without counters and what sets learn; None if nft cannot tell."""
    told = output(["nft", "--stateless", "list", "ruleset"])
    if told is None:
        return None
    found = {}
    for part in re.split(r"^(?=table )", told, flags=re.MULTILINE):
        head = re.match(r"table (\S+ \S+) \{", part)
        if head:
            found[head.group(1)] = {"presence": "present", "rules": digest(_SET.sub(_without_learnt, part))}
    return found


def _without_learnt(found: re.Match) -> str:
    """Return a set; without its elements where packets or times add and remove them."""
    return _ELEMENTS.sub("", found.group()) if _LEARNS.search(found.group()) else found.group()


def modules() -> dict[str, dict[str, str]]:
    """Return the loaded modules; `tree` is where they come from: the kernel's own or somebody else's."""
    found = {}
    for line in read("/proc/modules").splitlines():
        name = line.split(" ", 1)[0]
        found[name] = {"presence": "present", "tree": "foreign" if re.search(r"\([A-Z]*[OE][A-Z]*\)$", line) else "own"}
    return found


def sockets(known: frozenset[str]) -> dict[str, dict[str, str]]:
    """Return what listens; of what is not known, also which program does."""
    low = int((read("/proc/sys/net/ipv4/ip_local_port_range").split() or ["32768"])[0])
    found: dict[str, str] = {}
    for protocol, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for row in map(str.split, read("/proc/net/" + protocol).splitlines()[1:]):
            address, port = row[1].rsplit(":", 1)
            number = int(port, 16)
            passing = protocol.startswith("udp") and (number >= low or number in (68, 546))
            if row[3] == state and not passing:
                found["{0} {1}:{2}".format(protocol[:3], _scope(address), number)] = row[9]
    new = {inode for key, inode in found.items() if key not in known}
    programs = _programs(new) if new else {}
    return {key: {"presence": "present", "program": programs.get(inode, "")} for key, inode in sorted(found.items())}


def _scope(address: str) -> str:
    """Return from where a socket can be reached: addresses themselves change with a lease."""
    if not address.strip("0"):
        return "*"
    local = address.endswith("7F") if len(address) == 8 else address == "0" * 24 + "01000000"
    return "local" if local or (address.startswith("0" * 16 + "FFFF0000") and address.endswith("7F")) else "host"


def _programs(inodes: set[str]) -> dict[str, str]:
    wanted = {"socket:[{0}]".format(inode): inode for inode in inodes}
    found: dict[str, str] = {}
    for process in filter(str.isdigit, os.listdir("/proc")):
        folder = "/proc/{0}/fd".format(process)
        try:
            for descriptor in os.listdir(folder):
                inode = wanted.get(os.readlink("{0}/{1}".format(folder, descriptor)))
                if inode:
                    found.setdefault(inode, read("/proc/{0}/comm".format(process)).strip())
        except OSError:
            continue
    return found
