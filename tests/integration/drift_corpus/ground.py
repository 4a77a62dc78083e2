"""The ground that ways to drift stand on: names nobody could know, and what a host needs before it is sealed."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass, field

from bedplate.drift.managed import Resource


@dataclass(frozen=True)
class Ground:
    """One host's made-up world, prepared before the seal is taken.

    Attributes:
        token: a word of its own, part of every name.
    """

    seed: int
    token: str = field(init=False)
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        source = random.Random(self.seed)  # noqa: S311 (no secret)
        object.__setattr__(self, "_random", source)
        object.__setattr__(self, "token", "".join(source.choices(string.ascii_lowercase, k=7)))

    def word(self) -> str:
        """Return a new word."""
        return self.token + "".join(self._random.choices(string.ascii_lowercase, k=5))

    def number(self, low: int, high: int) -> int:
        """Return a number."""
        return self._random.randint(low, high)

    @property
    def root(self) -> str:
        """Where the files lie that a made-up role manages."""
        return f"/srv/{self.token}"

    def file(self, name: str) -> str:
        """Return the path of a managed file."""
        return f"{self.root}/{self.token}-{name}"

    def unit(self, name: str) -> str:
        """Return a managed unit."""
        return f"{self.token}-{name}.service"

    def account(self, name: str) -> str:
        """Return a managed account or group."""
        return f"{self.token[:4]}{name}"

    def package(self, name: str) -> str:
        """Return a managed package."""
        return f"{self.token}-{name}"


FILES = (
    "appended", "same-size", "mode", "suid", "owner", "group", "to-link", "removed", "to-folder", "to-pipe", "emptied",
    "binary", "immutable", "append-only", "acl", "behind", "elsewhere", "hard", "sticky", "newline", "mounted-over",
)  # fmt: skip
UNITS = (
    "stopped",
    "disabled",
    "masked",
    "overridden",
    "killed",
    "rewritten",
    "passing",
    "packaged",
    "hidden",
    "until-boot",
)
USERS = ("shell", "gone", "pass", "home", "group", "uid", "expires", "doubled")
GROUPS = ("gid", "left", "member")
PACKAGES = (
    "removed", "held", "older", "binary", "library", "to-go", "unpacked", "diverted",
    "in-place", "renamed", "closed", "given", "capable", "covered",
)  # fmt: skip
SYSCTLS = (
    "net.ipv4.conf.lo.log_martians", "net.ipv4.conf.lo.accept_redirects", "net.ipv4.conf.lo.send_redirects",
    "net.ipv4.ip_default_ttl", "net.ipv4.tcp_fin_timeout", "net.ipv4.conf.lo.secure_redirects",
)  # fmt: skip


def prepared(ground: Ground) -> str:
    """Return the script that makes, as root, what a made-up role would manage."""
    lines = [
        "set -eu",
        f"cd /; mkdir -p {ground.root}; cd {ground.root}; mkdir folder.d dir owned turned; cd /",
    ]
    lines += [f"echo {ground.word()} > {ground.file(name)}" for name in FILES]
    lines += [
        f"mkdir {ground.root}/through {ground.root}/one-end {ground.root}/bound; echo one > {ground.root}/through/file"
    ]
    lines += [f"mount --bind {ground.root}/one-end {ground.root}/bound"]
    lines += [f"chmod 0644 {ground.root}/{ground.token}-*", f"echo one > {ground.root}/folder.d/one"]
    lines += [f"ln -s {ground.file('behind')} {ground.root}/link", f"ln -s {ground.file('hard')} {ground.root}/turn"]
    lines += [f"ln -s {ground.file('hard')} {ground.root}/copied"]
    lines += ["mkdir -p /etc/cron.hourly /etc/cron.weekly /etc/cron.monthly"]
    lines += [_unit(ground, name) for name in UNITS]
    names = " ".join(ground.unit(name) for name in UNITS)
    lines += ["systemctl daemon-reload", f"systemctl enable --quiet --now {names}"]
    lines += [f"groupadd {ground.account(name)}" for name in GROUPS]
    lines += [f"useradd --create-home --shell /bin/bash {ground.account(name)}" for name in USERS]
    lines += [_package(ground, name, "2.0") for name in PACKAGES] + [_package(ground, "older", "1.0", install=False)]
    lines += [
        f"mkdir -p {ground.root}/mounted && mount -t tmpfs -o nosuid,nodev,noexec,size=1m tmpfs {ground.root}/mounted"
    ]
    lines += [
        f"nft 'add table inet {ground.token}'; nft 'add chain inet {ground.token} c'",
        f"nft 'add table inet {ground.token}b'",
        f"nft 'add chain inet {ground.token}b c {{ type filter hook input priority 5; }}'",
        f"nft 'add rule inet {ground.token}b c tcp dport 4 drop'",
        f"nft 'add table inet {ground.token}c'",
        f"nft 'add table inet {ground.token}e'",
        f"nft 'add table ip6 {ground.token}'",
        f"nft 'add chain ip6 {ground.token} c {{ type filter hook input priority 6; policy drop; }}'",
        f"nft 'add table inet {ground.token}d'",
        f"nft 'add set inet {ground.token}d admins {{ type ipv4_addr; }}'",
        f"nft 'add set inet {ground.token}d learnt {{ type ipv4_addr; flags dynamic,timeout; timeout 1m; }}'",
    ]  # fmt: skip
    # Programs that changed a moment ago are read each time, and would prove nothing of the others.
    return "\n".join([*lines, "sleep 4"])


def managed(ground: Ground) -> list[Resource]:
    """Return what the made-up role manages."""
    named = [
        *(("file", ground.file(name)) for name in FILES),
        ("file", f"{ground.root}/absent"),
        ("file", f"{ground.root}/link"),
        ("file", f"{ground.root}/through/file"),
        ("mount", f"{ground.root}/bound"),
        *(("meta", f"{ground.root}/{name}") for name in ("turn", "copied", "dir", "owned", "turned")),
        ("folder", f"{ground.root}/folder.d"),
        ("file", f"{ground.root}/folder.d/one"),
        *(("unit", ground.unit(name)) for name in UNITS),
        *(("user", ground.account(name)) for name in USERS),
        *(("group", ground.account(name)) for name in GROUPS),
        *(("package", ground.package(name)) for name in PACKAGES),
        *(("sysctl", name) for name in SYSCTLS),
        ("mount", f"{ground.root}/mounted"),
        *(("firewall", f"inet {ground.token}{end}") for end in ("", "b", "c", "d", "e")),
        ("firewall", f"ip6 {ground.token}"),
        ("host", "name"),
        ("host", "timezone"),
    ]
    return [Resource(kind, key, "made_up", f"Manage {kind}") for kind, key in named]


def _unit(ground: Ground, name: str) -> str:
    text = f"[Service]\\nExecStart=/bin/sleep 1000000\\n[Install]\\nWantedBy=multi-user.target\\n# {ground.word()}"
    return f"printf '{text}' > /etc/systemd/system/{ground.unit(name)}"


def _package(ground: Ground, name: str, version: str, *, install: bool = True) -> str:
    package = ground.package(name)
    folder = f"/var/tmp/{package}-{version}"
    control = f"Package: {package}\\nVersion: {version}\\nArchitecture: all\\nMaintainer: x\\nDescription: x\\n"
    lines = [
        f"mkdir -p {folder}/DEBIAN {folder}/usr/bin {folder}/usr/lib; echo x > {folder}/usr/lib/{package}.so.1.2",
        f"printf '{control}' > {folder}/DEBIAN/control",
        f"printf '#!/bin/sh\\necho {version}\\n' > {folder}/usr/bin/{package} && chmod 0755 {folder}/usr/bin/{package}",
        f"dpkg-deb --build {folder} {folder}.deb >/dev/null",
    ]
    return "\n".join([*lines, f"dpkg -i {folder}.deb >/dev/null"] if install else lines)
