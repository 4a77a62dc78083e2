# ruff: noqa: E501 (scripts for a shell)
"""Ways in which kernel, network and privileges drift."""

from __future__ import annotations

from collections.abc import Iterator

from integration.drift_corpus.ground import SYSCTLS, Ground
from integration.drift_corpus.way import Way


def kernel(ground: Ground) -> Iterator[Way]:
    for name in SYSCTLS[:3]:
        path = "/proc/sys/" + name.replace(".", "/")
        yield Way(f"live {name}", f"cp {path} /run/old-{name}; echo $((1 - $(cat {path}))) > {path}", f"! cmp -s {path} /run/old-{name}",
                  ("sysctl", name, "value"))  # fmt: skip
    file = f"/etc/sysctl.d/{ground.word()}.conf"
    name, value = SYSCTLS[3], ground.number(70, 120)
    yield Way("for the next boot only", f"echo '{name} = {value}' > {file}", f"grep -q {value} {file}", ("sysctl", name, "configured"),
              (("file", file, "presence"),))  # fmt: skip
    value = ground.number(61, 200)
    yield Way("number live", f"echo {value} > /proc/sys/net/ipv4/tcp_fin_timeout", f"grep -qx {value} /proc/sys/net/ipv4/tcp_fin_timeout",
              ("sysctl", "net.ipv4.tcp_fin_timeout", "value"))  # fmt: skip
    yield Way("sysctl in another folder", f"mkdir -p /usr/local/lib/sysctl.d; echo '{SYSCTLS[5]} = 0' > /usr/local/lib/sysctl.d/{ground.token}.conf",
              f"test -f /usr/local/lib/sysctl.d/{ground.token}.conf", ("sysctl", SYSCTLS[5], "configured"),
              (("file", f"/usr/local/lib/sysctl.d/{ground.token}.conf", "presence"),))  # fmt: skip
    bound, end = f"{ground.root}/bound", f"{ground.root}/{ground.word()}"
    yield Way("another folder bound", f"umount {bound}; mkdir {end}; mount --bind {end} {bound}", f"findmnt -no SOURCE {bound} | grep -q {end}",
              ("mount", bound, "source"))  # fmt: skip
    point = f"{ground.root}/mounted"
    yield Way("remounted", f"mount -o remount,nosuid,nodev,exec {point}", f"! findmnt -no OPTIONS {point} | grep -q noexec",
              ("mount", point, "options"))  # fmt: skip
    new = f"/mnt/{ground.word()}"
    yield Way(
        "mounted",
        f"mkdir {new}; mount -t tmpfs -o size=1m tmpfs {new}",
        f"findmnt {new} > /dev/null",
        ("mount", new, "presence"),
    )
    over = f"/opt/{ground.word()}"
    yield Way(
        "bind mount",
        f"mkdir {over}; mount --bind /usr/share/doc {over}",
        f"findmnt {over} > /dev/null",
        ("mount", over, "presence"),
    )
    yield Way("for the next mount", f"echo 'tmpfs {point} tmpfs exec 0 0' >> /etc/fstab", f"grep -q {point} /etc/fstab",
              ("mount", point, "configured"), (("file", "/etc/fstab", "*"),))  # fmt: skip
    yield Way("time zone", "ln -sfn /usr/share/zoneinfo/Asia/Tokyo /etc/localtime", "test $(date +%Z) = JST",
              ("host", "timezone", "timezone"))  # fmt: skip
    name = ground.word()
    yield Way("name of the host", f"hostname {name}", f"test $(uname -n) = {name}", ("host", "name", "name"))


def network(ground: Ground) -> Iterator[Way]:
    listen = "systemd-run --quiet --unit={unit} python3 -c 'import socket,time;s=socket.socket({kind});s.bind((\"{at}\",{port}));{more};time.sleep(9999)'"
    tcp, udp, local = ground.number(2000, 9000), ground.number(100, 120), ground.number(33000, 60000)
    yield Way("listens", listen.format(unit=ground.word(), kind="", at="", port=tcp, more="s.listen()") + "; sleep 1",
              f"ss -Hltn 'sport = {tcp}' | grep -q {tcp}", ("socket", f"tcp *:{tcp}", "presence"))  # fmt: skip
    yield Way("listens to itself", listen.format(unit=ground.word(), kind="", at="127.0.0.1", port=local, more="s.listen()") + "; sleep 1",
              f"ss -Hltn 'sport = {local}' | grep -q {local}", ("socket", f"tcp local:{local}", "presence"))  # fmt: skip
    yield Way("takes datagrams", listen.format(unit=ground.word(), kind="2,2", at="", port=udp, more="0") + "; sleep 1",
              f"ss -Hlun 'sport = {udp}' | grep -q {udp}", ("socket", f"udp *:{udp}", "presence"))  # fmt: skip
    table = f"inet {ground.token}"
    yield Way("rule added", f"nft 'add rule {table} c tcp dport 22 accept'", f"nft list table {table} | grep -q accept",
              ("firewall", table, "rules"))  # fmt: skip
    yield Way(
        "rules flushed",
        f"nft flush table {table}b",
        f"! nft list table {table}b | grep -q drop",
        ("firewall", f"{table}b", "rules"),
    )
    yield Way(
        "table gone",
        f"nft delete table {table}c",
        f"! nft list table {table}c 2>/dev/null",
        ("firewall", f"{table}c", "presence"),
    )
    yield Way("put into a set", f"nft add element {table}d admins '{{ 203.0.113.9 }}'", f"nft list set {table}d admins | grep -q 203.0.113.9",
              ("firewall", f"{table}d", "rules"))  # fmt: skip
    new = f"ip {ground.word()}"
    yield Way("table added", f"nft add table {new}", f"nft list table {new} > /dev/null", ("firewall", new, "presence"))


def privileges(ground: Ground) -> Iterator[Way]:
    for folder, mode in (
        ("/usr/local/bin", "4755"),
        ("/usr/bin", "2755"),
        ("/opt", "4755"),
        ("/home", "6755"),
        ("/usr/lib", "4711"),
        ("/usr/share", "4755"),
        ("/var/log", "2755"),
    ):
        path = f"{folder}/{ground.word()}"
        yield Way(f"privileged in {folder}", f"cp /bin/true {path}; chmod {mode} {path}", f"test $(stat -c %a {path}) = {mode}",
                  ("suid", path, "presence"))  # fmt: skip
    path = f"/usr/local/sbin/{ground.word()}"
    yield Way("capability", f"cp /bin/true {path}; setcap cap_net_raw+ep {path}", f"getcap {path} | grep -q cap_net_raw",
              ("suid", path, "presence"))  # fmt: skip
    yield Way(
        "program's right taken",
        "chmod u-s /usr/bin/chfn",
        "test ! -u /usr/bin/chfn",
        ("suid", "/usr/bin/chfn", "presence"),
    )
    yield Way("program replaced with a right", "cp /usr/bin/chsh /run/chsh; printf x >> /run/chsh; cat /run/chsh > /usr/bin/chsh;"
              " chmod 4755 /usr/bin/chsh", "cmp -s /usr/bin/chsh /run/chsh", ("suid", "/usr/bin/chsh", "content"))  # fmt: skip
