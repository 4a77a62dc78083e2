# ruff: noqa: E501 (scripts for a shell)
"""Ways in which files drift."""

from __future__ import annotations

from collections.abc import Iterator

from integration.drift_corpus.ground import Ground
from integration.drift_corpus.way import Identity, Way


def contents(ground: Ground) -> Iterator[Way]:
    def way(name: str, change: str, effect: str) -> Way:
        path = ground.file(name)
        return Way(name, change.replace("@", path), effect.replace("@", path), ("file", path, "content"))

    word = ground.word()
    yield way("appended", f"echo {word} >> @", f"grep -q {word} @")
    yield way(
        "same-size",
        "touch -r @ /run/ref; tr a-y b-z < @ > /run/new; cat /run/new > @; touch -r /run/ref @",
        "cmp -s @ /run/new",
    )
    yield way("emptied", ": > @", "test ! -s @")
    yield way("binary", "head -c 5000 /dev/urandom > @", "test $(stat -c %s @) = 5000")
    yield way("newline", "printf '\\n' >> @", 'test -z "$(tail -n 1 @)"')
    link = f"{ground.root}/link"
    yield Way("behind a link", f"echo {word} > {ground.file('behind')}", f"grep -q {word} {link}", ("file", link, "content"),
              (("file", ground.file("behind"), "content"),))  # fmt: skip


def attributes(ground: Ground) -> Iterator[Way]:
    def way(name: str, change: str, effect: str, attribute: str, *also: Identity) -> Way:
        path = ground.file(name)
        return Way(name, change.replace("@", path), effect.replace("@", path), ("file", path, attribute), also)

    mode = f"06{ground.number(0, 3)}{ground.number(0, 3)}"
    yield way("mode", f"chmod {mode} @", f"test $(stat -c %a @) = {mode[1:]}", "mode")
    yield way("suid", "chmod 4755 @", "test -u @", "mode", ("suid", ground.file("suid"), "presence"))
    yield way("sticky", "chmod 1666 @", "test -k @", "mode")
    yield way("owner", "chown daemon @", "test $(stat -c %U @) = daemon", "owner")
    yield way("group", "chgrp games @", "test $(stat -c %G @) = games", "group")
    flags = "import array,fcntl,sys;f=open(sys.argv[1]);b=array.array('L',[0]);fcntl.ioctl(f,0x80086601,b)"
    for name, bit in (("immutable", 0x10), ("append-only", 0x20)):
        change = f'python3 -c "{flags};b[0]|={bit};fcntl.ioctl(f,0x40086602,b)" @'
        yield way(name, change, f'python3 -c "{flags};sys.exit(not b[0]&{bit})" @', "attributes")
    acl = "0200000001000600ffffffff02000700{0}04000400ffffffff10000700ffffffff20000400ffffffff"
    words = acl.format("02000000")
    change = (
        f"python3 -c \"import os,sys;os.setxattr(sys.argv[1],'system.posix_acl_access',bytes.fromhex('{words}'))\" @"
    )
    path = ground.file("acl")
    yield Way("acl", change.replace("@", path), f"python3 -c \"import os,sys;os.getxattr('{path}','system.posix_acl_access')\"",
              ("file", path, "acl"), (("file", path, "mode"),))  # fmt: skip
    folder = f"{ground.root}/dir"
    yield Way("folder's mode", f"chmod 0777 {folder}", f"test $(stat -c %a {folder}) = 777", ("file", folder, "mode"))
    folder = f"{ground.root}/owned"
    yield Way(
        "folder's owner", f"chown games {folder}", f"test $(stat -c %U {folder}) = games", ("file", folder, "owner")
    )


def kinds(ground: Ground) -> Iterator[Way]:
    def way(name: str, change: str, effect: str, attribute: str, *also: Identity) -> Way:
        path = ground.file(name)
        return Way(name, change.replace("@", path), effect.replace("@", path), ("file", path, attribute), also)

    yield way("to-link", "mv @ @.moved; ln -s @.moved @", "test -L @", "type")
    yield way("removed", "rm @", "test ! -e @", "presence")
    yield way("to-folder", "rm @; mkdir @", "test -d @", "type")
    yield way("to-pipe", "rm @; mkfifo @", "test -p @", "type")
    yield way("elsewhere", f"rm @; ln -s /nowhere/{ground.word()} @", "test -L @", "type")
    turn, copied, turned = (f"{ground.root}/{name}" for name in ("turn", "copied", "turned"))
    yield Way(
        "link turned",
        f"ln -sfn /etc/hostname {turn}",
        f"test $(readlink {turn}) = /etc/hostname",
        ("file", turn, "target"),
    )
    yield Way(
        "link copied",
        f"cp {copied} /run/copy; rm {copied}; mv /run/copy {copied}",
        f"test ! -L {copied}",
        ("file", copied, "type"),
    )
    yield Way("folder to link", f"rmdir {turned}; ln -s /tmp {turned}", f"test -L {turned}", ("file", turned, "type"))
    absent = f"{ground.root}/absent"
    yield Way("came back", f"echo x > {absent}", f"test -f {absent}", ("file", absent, "presence"))
    through, moved = f"{ground.root}/through", f"{ground.root}/moved"
    yield Way("folder behind a link", f"mv {through} {moved}; ln -s {moved} {through}", f"test -L {through}",
              ("file", f"{through}/file", "folder"))  # fmt: skip
    yield Way("jobs to a link", "mv /etc/cron.weekly /etc/cron.other; ln -s cron.other /etc/cron.weekly", "test -L /etc/cron.weekly",
              ("file", "/etc/cron.weekly", "presence"))  # fmt: skip
    extra = f"{ground.root}/folder.d/{ground.word()}"
    yield Way("extra in a managed folder", f"echo x > {extra}", f"test -f {extra}", ("file", extra, "presence"))


def _new(ground: Ground, folder: str, ending: str = "", content: str = "# x", mode: str = "0644") -> Way:
    path = f"{folder}/{ground.word()}{ending}"
    change = f"mkdir -p {folder}; printf '%s\\n' '{content}' > {path}; chmod {mode} {path}"
    return Way(f"new in {folder}", change, f"test -f {path}", ("file", path, "presence"))


def places(ground: Ground) -> Iterator[Way]:
    yield _new(ground, "/etc/sudoers.d", "", "games ALL=(ALL) NOPASSWD: ALL", "0440")
    yield _new(ground, "/etc/cron.d", "", "* * * * * root true")
    yield _new(ground, "/etc/cron.daily", "", "#!/bin/sh", "0755")
    yield _new(ground, "/var/spool/cron/crontabs", "", "* * * * * true", "0600")
    yield _new(ground, "/etc/profile.d", ".sh")
    yield _new(ground, "/etc/systemd/system", ".service", "[Service]")
    yield _new(ground, "/etc/apt/sources.list.d", ".list", "# deb http://example.com x main")
    yield _new(ground, "/etc/apt/apt.conf.d", "", "// x")
    yield _new(ground, "/etc/apt/trusted.gpg.d", ".asc", "x")
    yield _new(ground, "/etc/modprobe.d", ".conf", "blacklist dummy")
    yield _new(ground, "/etc/modules-load.d", ".conf", "dummy")
    yield _new(ground, "/etc/rsyslog.d", ".conf", "*.* @203.0.113.7:514")
    yield _new(ground, "/etc/ssh/sshd_config.d", ".conf", "PermitRootLogin yes", "0600")
    yield _new(ground, "/usr/local/share/ca-certificates", ".crt", "-----BEGIN CERTIFICATE-----")
    yield _new(ground, "/etc/tmpfiles.d", ".conf", "# x")
    yield _new(ground, "/etc/udev/rules.d", ".rules", "# x")
    yield _new(ground, "/etc/logrotate.d", "", "# x")
    yield _new(ground, "/etc/update-motd.d", "", "#!/bin/sh", "0755")
    yield _new(ground, "/etc/security/limits.d", ".conf", "# x")
    yield _new(ground, "/etc/apt/preferences.d", "", "# x")
    yield _new(ground, "/etc/dpkg/dpkg.cfg.d", "", "# x")
    yield _new(ground, "/run/modprobe.d", ".conf", "blacklist dummy")
    yield _new(ground, "/usr/lib/modprobe.d", ".conf", "install dummy /bin/true")
    yield _new(ground, "/etc/ssl/certs", ".pem", "-----BEGIN CERTIFICATE-----")
    yield _new(ground, "/usr/local/bin", "", "#!/bin/sh", "0755")
    yield _new(ground, "/var/spool/cron/atjobs", "", "true", "0700")


def more_places(ground: Ground) -> Iterator[Way]:
    def changed(path: str, line: str, attribute: str = "content") -> Way:
        change = f"printf '%s\\n' '{line}' >> {path}"
        return Way(f"changed {path}", change, f"tail -n 1 {path} | grep -qxF '{line}'", ("file", path, attribute))

    yield changed("/etc/sudoers", f"# {ground.word()}")
    yield changed("/etc/sudo.conf", f"# {ground.word()}")
    yield changed("/etc/pam.conf", f"# {ground.word()}")
    yield changed("/etc/ssh/sshd_config", f"# {ground.word()}")
    yield changed("/etc/pam.d/common-auth", f"# {ground.word()}")
    yield changed("/etc/profile", f"# {ground.word()}")
    yield changed("/root/.bashrc", f"# {ground.word()}")
    yield changed("/etc/nsswitch.conf", f"# {ground.word()}")
    preload = "/etc/ld.so.preload"
    yield Way("preload", f": > {preload}", f"test -f {preload}", ("file", preload, "presence"))
    for path in ("/etc/apt/preferences", "/etc/hosts.equiv", "/etc/ssh/sshrc", "/root/.bash_aliases"):
        yield Way(
            f"new {path}", f"test ! -e {path}; echo '# x' > {path}", f"test -f {path}", ("file", path, "presence")
        )
    keys = "/var/backups/.ssh/authorized_keys2"
    yield Way("key of a service", f"mkdir -p /var/backups/.ssh; echo 'ssh-ed25519 AAAA {ground.word()}' > {keys}", f"test -f {keys}",
              ("file", keys, "presence"))  # fmt: skip
    yield Way("folder open to all", "chmod 0777 /etc/logrotate.d", "test $(stat -c %a /etc/logrotate.d) = 777",
              ("file", "/etc/logrotate.d", "presence"))  # fmt: skip
    keys = "/root/.ssh/authorized_keys"
    yield Way("key of root", f"mkdir -p -m 0700 /root/.ssh; test ! -e {keys}; echo 'ssh-ed25519 AAAA {ground.word()}' > {keys}",
              f"test -s {keys}", ("file", keys, "presence"))  # fmt: skip
    login = "/home/ansible/.ssh/authorized_keys"
    yield Way("key of the login", f"echo 'ssh-ed25519 AAAA {ground.word()}' >> {login}", f"grep -q {ground.token} {login}",
              ("file", login, "content"))  # fmt: skip
    word = ground.word()
    yield Way("name with a newline", f"touch \"$(printf '/etc/cron.hourly/{word}\\nx')\"", f"ls /etc/cron.hourly | grep -q {word}",
              ("file", f"/etc/cron.hourly/{word}\\x0ax", "presence"))  # fmt: skip
    word = ground.word()
    yield Way("name that is no text", f"touch \"$(printf '/etc/cron.weekly/{word}\\377')\"", f"ls /etc/cron.weekly | grep -aq {word}",
              ("file", f"/etc/cron.weekly/{word}\\xff", "presence"))  # fmt: skip
    full = "/etc/cron.monthly"
    yield Way("far too many files", f"cd {full}; seq 1 3000 | xargs touch", f"test $(ls {full} | wc -l) -ge 3000",
              ("file", full, "entries"))  # fmt: skip
