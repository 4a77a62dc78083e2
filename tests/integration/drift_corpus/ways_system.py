# ruff: noqa: E501 (scripts for a shell)
"""Ways in which accounts, packages and units drift."""

from __future__ import annotations

from collections.abc import Iterator

from integration.drift_corpus.ground import Ground
from integration.drift_corpus.way import Identity, Way


def _homes(user: str) -> Identity:
    """Return what of an account's home nobody looks at any more, as a pattern."""
    return ("file", f"/home/{user}/*", "presence")


def accounts(ground: Ground) -> Iterator[Way]:
    def way(name: str, change: str, effect: str) -> Way:
        user = ground.account(name)
        also = (_homes(user),) if name == "home" else ()
        return Way(
            f"account's {name}", change.replace("@", user), effect.replace("@", user), ("user", user, "account"), also
        )

    yield way("shell", "usermod --shell /bin/sh @", "getent passwd @ | grep -q ':/bin/sh$'")
    yield way("pass", "usermod --password '$6$x$y' @", "getent shadow @ | grep -q '[$]6[$]'")
    yield way("home", "usermod --home /var/empty @", "getent passwd @ | grep -q ':/var/empty:'")
    yield way("group", "usermod --append --groups games @", "id -nG @ | grep -q games")
    uid = ground.number(40000, 50000)
    yield way("uid", f"usermod --uid {uid} @", f"test $(id -u @) = {uid}")
    gone = ground.account("gone")
    yield Way(
        "account gone", f"userdel --force {gone}", f"! getent passwd {gone} > /dev/null", ("user", gone, "account"),
        (_homes(gone),),
    )  # fmt: skip
    new, root = ground.account("new"), ground.account("zero")
    yield Way("account with a shell", f"useradd --no-create-home --shell /bin/bash {new}", f"getent passwd {new} > /dev/null",
              ("user", new, "presence"))  # fmt: skip
    yield Way("second root", f"useradd --no-create-home --non-unique --uid 0 --shell /usr/sbin/nologin {root}",
              f"test $(id -u {root}) = 0", ("user", root, "presence"))  # fmt: skip
    yield way("expires", "chage --expiredate 2031-01-01 @", "chage --list @ | grep -q 2031")
    doubled = ground.account("doubled")
    yield Way("second line of an account", f"echo '{doubled}:x:0:0::/root:/bin/bash' >> /etc/passwd", f"test $(grep -c '^{doubled}:' /etc/passwd) = 2",
              ("user", doubled, "account"))  # fmt: skip
    shell = ground.account("noshell")
    yield Way("account without a shell's name", f"echo '{shell}:x:4711:4711::/nonexistent:' >> /etc/passwd", f"getent passwd {shell} > /dev/null",
              ("user", shell, "presence"))  # fmt: skip
    gid = ground.number(51000, 52000)
    group, left, member = (ground.account(name) for name in ("gid", "left", "member"))
    yield Way(
        "group's number",
        f"groupmod --gid {gid} {group}",
        f"getent group {group} | grep -q :{gid}:",
        ("group", group, "account"),
    )
    yield Way("group gone", f"groupdel {left}", f"! getent group {left} > /dev/null", ("group", left, "account"))
    yield Way(
        "group's member",
        f"gpasswd --add games {member}",
        f"getent group {member} | grep -q games",
        ("group", member, "account"),
    )
    yield Way(
        "member of sudo",
        "gpasswd --add daemon sudo",
        "getent group sudo | grep -q daemon",
        ("group", "sudo", "members"),
    )


def packages(ground: Ground) -> Iterator[Way]:
    removed, held, older, binary = (ground.package(name) for name in ("removed", "held", "older", "binary"))
    program = f"/usr/bin/{removed}"
    yield Way("package removed", f"dpkg --remove {removed}", f"! dpkg-query --status {removed} 2>/dev/null | grep -q 'ok installed'",
              ("package", removed, "presence"), (("file", program, "presence"),))  # fmt: skip
    yield Way("package held", f"echo {held} hold | dpkg --set-selections", f"dpkg --get-selections {held} | grep -q hold",
              ("package", held, "selection"))  # fmt: skip
    yield Way("package downgraded", f"dpkg -i /var/tmp/{older}-1.0.deb 2>/dev/null", f"dpkg-query --status {older} | grep -q 'Version: 1.0'",
              ("package", older, "version"), (("file", f"/usr/bin/{older}", "content"),))  # fmt: skip
    path = f"/usr/bin/{binary}"
    yield Way("program replaced", f"touch -r {path} /run/ref2; echo 'echo 666' > {path}; touch -r /run/ref2 {path}", f"grep -q 666 {path}",
              ("file", path, "content"))  # fmt: skip
    new = ground.package("new")
    folder = f"/var/tmp/{new}"
    yield Way("package that nobody asked for",
              f"mkdir -p {folder}/DEBIAN; printf 'Package: {new}\\nVersion: 1\\nArchitecture: all\\nMaintainer: x\\nDescription: x\\n'"
              f" > {folder}/DEBIAN/control; dpkg-deb --build {folder} {folder}.deb; dpkg -i {folder}.deb",
              f"dpkg-query --status {new} | grep -q 'ok installed'", ("package", new, "presence"))  # fmt: skip


def units(ground: Ground) -> Iterator[Way]:
    def way(name: str, change: str, effect: str, attribute: str, *also: Identity) -> Way:
        unit = ground.unit(name)
        return Way(
            f"unit {name}", change.replace("@", unit), effect.replace("@", unit), ("unit", unit, attribute), also
        )

    yield way("stopped", "systemctl stop @", "! systemctl --quiet is-active @", "state")
    yield way("killed", "systemctl kill --signal=KILL @; sleep 1", "systemctl --quiet is-failed @", "state")
    yield way("disabled", "systemctl disable @", "! systemctl --quiet is-enabled @", "enabled")
    masked = f"/etc/systemd/system/{ground.unit('masked')}"
    yield way("masked", f"rm {masked}; systemctl mask @", "test $(systemctl is-enabled @) = masked", "enabled",
              ("file", masked, "type"), ("unit", ground.unit("masked"), "configuration"))  # fmt: skip
    drop_in = f"/etc/systemd/system/{ground.unit('overridden')}.d/x.conf"
    yield way("overridden", f"mkdir -p {drop_in[:-7]}; printf '[Service]\\nNice=5\\n' > {drop_in}; systemctl daemon-reload",
              "systemctl show -p DropInPaths @ | grep -q x.conf", "configuration", ("file", drop_in, "presence"))  # fmt: skip
    rewritten = f"/etc/systemd/system/{ground.unit('rewritten')}"
    yield way("rewritten", f"echo '# more' >> {rewritten}; systemctl daemon-reload", f"grep -q more {rewritten}", "configuration",
              ("file", rewritten, "content"))  # fmt: skip
    yield way(
        "passing",
        "systemctl disable @; systemctl enable --runtime @",
        "systemctl is-enabled @ | grep -q runtime",
        "enabled",
    )
    brought = f"/usr/lib/systemd/system/{ground.unit('packaged')}.d/x.conf"
    yield Way("unit overridden where packages do", f"mkdir -p {brought[:-7]}; printf '[Service]\nNice=5\n' > {brought}; systemctl daemon-reload",
              f"systemctl show -p DropInPaths {ground.unit('packaged')} | grep -q x.conf", ("file", brought, "presence"))  # fmt: skip
    for folder in ("/usr/lib/systemd/system", "/run/systemd/system"):
        word = ground.word()
        wanted = f"{folder}/multi-user.target.wants"
        yield Way(f"unit wanted in {folder}", f"mkdir -p {wanted}; printf '[Service]\nExecStart=/bin/true\n' > {folder}/{word}.service;"
                  f" ln -s ../{word}.service {wanted}/", f"test -L {wanted}/{word}.service", ("unit", f"{word}.service", "enabled"),
                  (("file", f"{folder}/*", "presence"),))  # fmt: skip
    extra = f"{ground.token}-extra.service"
    path = f"/etc/systemd/system/{extra}"
    yield Way("unit enabled", f"printf '[Service]\\nExecStart=/bin/true\\n[Install]\\nWantedBy=multi-user.target\\n' > {path};"
              f" systemctl enable {extra}", f"systemctl --quiet is-enabled {extra}", ("unit", extra, "enabled"),
              (("file", path, "presence"),))  # fmt: skip
