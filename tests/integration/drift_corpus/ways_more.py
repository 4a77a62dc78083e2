# ruff: noqa: E501 (scripts for a shell)
"""Ways to drift beside the beaten track: what runs first, what everybody trusts, what looks as before."""

from __future__ import annotations

from collections.abc import Iterator

from integration.drift_corpus.ground import Ground
from integration.drift_corpus.way import Way


def first(ground: Ground) -> Iterator[Way]:
    """What is run before, beside or instead of what somebody started."""

    def new(folder: str, ending: str = "", content: str = "# x") -> Way:
        path = f"{folder}/{ground.word()}{ending}"
        return Way(
            f"new in {folder}",
            f"mkdir -p {folder}; echo '{content}' > {path}",
            f"test -f {path}",
            ("file", path, "presence"),
        )

    yield new("/usr/lib/python3/dist-packages", ".pth", "import os")
    yield new("/usr/lib/systemd/system-shutdown", ".shutdown", "#!/bin/sh")
    yield new("/usr/lib/udev/rules.d", ".rules")
    yield new("/usr/lib/tmpfiles.d", ".conf")
    yield new("/usr/lib/sysusers.d", ".conf")
    yield new("/usr/share/dbus-1/system-services", ".service", "[D-BUS Service]")
    yield new("/etc/kernel/postrm.d", "", "#!/bin/sh")
    yield new("/etc/initramfs-tools/scripts/init-bottom", "", "#!/bin/sh")
    yield new("/etc/apparmor.d", "", "# a profile")
    yield new("/etc/NetworkManager/system-connections", ".nmconnection", "[connection]")
    path = "/usr/lib/python3/dist-packages/sitecustomize.py"
    yield Way(
        "what Python runs first",
        f"test ! -e {path}; echo import os > {path}",
        f"test -f {path}",
        ("file", path, "presence"),
    )
    rotation = "/etc/logrotate.conf"
    yield Way(
        "rotation of logs",
        f"test ! -e {rotation}; echo '# {ground.word()}' >> {rotation}",
        f"grep -q {ground.token} {rotation}",
        ("file", rotation, "presence"),
    )
    set_to, nice = "/etc/systemd/system.control", f"{ground.word()}.conf"
    drop_in = f"{set_to}/{ground.unit('hidden')}.d"
    yield Way("unit's property set", f"mkdir -p {drop_in}; printf '[Service]\\nNice=5\\n' > {drop_in}/{nice}; systemctl daemon-reload",
              f"systemctl show -p DropInPaths {ground.unit('hidden')} | grep -q {nice}", ("unit", ground.unit("hidden"), "configuration"),
              (("file", f"{drop_in}", "presence"), ("file", f"{drop_in}/*", "presence")))  # fmt: skip
    passing = ground.unit("until-boot")
    yield Way("unit masked until the next boot", f"rm /etc/systemd/system/{passing}; systemctl daemon-reload; systemctl mask --runtime {passing}",
              f"systemctl is-enabled {passing} | grep -q masked", ("unit", passing, "enabled"),
              (("file", f"/etc/systemd/system/{passing}", "presence"), ("file", f"/run/systemd/system/{passing}", "presence"), ("unit", passing, "*")))  # fmt: skip
    yield Way("boots into another target", "ln -sfn /usr/lib/systemd/system/rescue.target /etc/systemd/system/default.target",
              "systemctl get-default | grep -q rescue", ("file", "/etc/systemd/system/default.target", "presence"))  # fmt: skip


def trusted(ground: Ground) -> Iterator[Way]:
    """What everybody trusts."""
    for folder, mode in (("/etc", "0777"), ("/usr/lib", "0775"), ("/tmp", "0777"), ("/root", "0770")):
        yield Way(
            f"{folder} open to more",
            f"chmod {mode} {folder}",
            f"test $(stat -c %a {folder}) = {mode[1:]}",
            ("file", folder, "presence"),
        )
    home = f"/home/{ground.account('shell')}"
    yield Way("home open to all", f"chmod 0777 {home}", f"test $(stat -c %a {home}) = 777", ("file", home, "presence"))
    keys = f"/home/{ground.account('pass')}/.ssh"
    yield Way(
        "keys' folder open to all",
        f"mkdir {keys}; chmod 0777 {keys}",
        f"test $(stat -c %a {keys}) = 777",
        ("file", keys, "presence"),
    )
    authority = "/usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt"
    yield Way(
        "authority replaced",
        f"echo x >> {authority}",
        f"tail -n 1 {authority} | grep -qx x",
        ("file", authority, "presence"),
    )
    yield Way("group with a password", "sed -i 's/^adm:[^:]*/adm:$6$x$y/' /etc/gshadow", "grep -q '^adm:[$]6' /etc/gshadow",
              ("group", "adm", "password"))  # fmt: skip
    yield Way(
        "admin by the first group",
        "usermod --gid disk games",
        "test $(id -gn games) = disk",
        ("group", "disk", "first"),
    )


def alike(ground: Ground) -> Iterator[Way]:
    """What looks as before."""
    path = ground.file("mounted-over")
    yield Way("file mounted over another", f"cp -p {path} /run/over; echo x >> /run/over; mount --bind /run/over {path}", f"cmp -s /run/over {path}",
              ("file", path, "content"), (("mount", path, "presence"),))  # fmt: skip
    asleep = f"inet {ground.token}e"
    yield Way(
        "table asleep",
        f"nft 'add table {asleep} {{ flags dormant; }}'",
        f"nft list table {asleep} | grep -q dormant",
        ("firewall", asleep, "rules"),
    )
    policy = f"ip6 {ground.token}"
    yield Way(
        "policy of a chain",
        f"nft 'add chain {policy} c {{ policy accept; }}'",
        f"nft list table {policy} | grep -q 'policy accept'",
        ("firewall", policy, "rules"),
    )
    name = ground.package("library")
    library = f"/usr/lib/{name}.so.1.2"
    yield Way("library replaced", f"echo more >> {library}", f"grep -q more {library}", ("file", library, "content"))
    left = ground.package("to-go")
    yield Way("package that is to go", f"echo {left} deinstall | dpkg --set-selections", f"dpkg-query -W -f '${{Status}}' {left} | grep -q ^deinstall",
              ("package", left, "selection"))  # fmt: skip
    open_ = ground.package("unpacked")
    yield Way("package only unpacked", f"dpkg --unpack /var/tmp/{open_}-2.0.deb", f"dpkg-query -W -f '${{Status}}' {open_} | grep -q unpacked",
              ("package", open_, "presence"), (("file", f"/usr/bin/{open_}", "presence"),))  # fmt: skip
    moved = ground.package("diverted")
    yield Way(
        "program diverted",
        f"dpkg-divert --local --rename --add /usr/bin/{moved}",
        f"test -e /usr/bin/{moved}.distrib",
        ("file", f"/usr/bin/{moved}", "presence"),
    )
    yield Way(
        "name for the next boot",
        f"echo {ground.word()} > /etc/hostname",
        f"grep -q {ground.token} /etc/hostname",
        ("host", "name", "configured"),
    )
