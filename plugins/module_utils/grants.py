# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Ends grants of access on this host: those whose time is up, and accounts that are named.

The module access_grant installs this file on hosts as a program of its own, which a timer starts, so that a grant ends
without the control node, and after a reboot too. It needs the standard library only.
"""

from __future__ import annotations

import glob
import json
import os
import pwd
import subprocess
import sys
import syslog
import time

RECORDS = "/etc/bedplate/grants"
ENDED = "/var/lib/bedplate/grants"
KEYS = "/etc/ssh/bedplate-grants.d"
SUDOERS = "/etc/sudoers.d/bedplate-grant-{0}"
GROUP = "bedplate-grant"
UNIT = "bedplate-grants"
PROGRAM = "/usr/local/sbin/bedplate-grants"
_UNITS = "/etc/systemd/system"
_SERVICE = """[Unit]
Description=End grants of access whose time is up

[Service]
Type=oneshot
ExecStart={0}
"""
_TIMER = """[Unit]
Description=End grants of access when their time is up

[Timer]
OnActiveSec=1s
AccuracySec=1s
Persistent=true
{0}
[Install]
WantedBy=timers.target
"""


def records() -> dict[str, dict]:
    """Return the grants by account. One that cannot be read has no end, and so is over."""
    found = {}
    for path in sorted(glob.glob(os.path.join(RECORDS, "*.json"))):
        account = os.path.basename(path)[: -len(".json")]
        try:
            with open(path, encoding="utf-8") as file:
                record = json.load(file)
            found[account] = record if isinstance(record, dict) else {}
        except ValueError:
            found[account] = {}
    return found


def is_over(record: dict, now: float) -> bool:
    """Return whether a grant's time is up."""
    end = record.get("expires")
    return not isinstance(end, (int, float)) or end <= now


def end(account: str, record: dict, why: str) -> None:
    """Take everything away that a grant gave, and close what runs; what is gone already is no fault."""
    for path in (SUDOERS.format(account), os.path.join(KEYS, account)):
        if os.path.lexists(path):
            os.unlink(path)
    if _is_ours(account):
        # No new session from here on, then the end of those that there are.
        _run("usermod", "--lock", "--expiredate", "1", account)
        _run("loginctl", "disable-linger", account)
        _run("loginctl", "terminate-user", account)
        _run("crontab", "-r", "-u", account)
        _kill(account)
        # A manager of sessions that was killed counts as a failed unit of the host.
        _run("systemctl", "reset-failed", "user@{0}.service".format(pwd.getpwnam(account).pw_uid))
        _run("userdel", "--remove", "--force", account)
    syslog.openlog(UNIT, 0, syslog.LOG_AUTH)
    syslog.syslog(syslog.LOG_NOTICE, "the access of {0} has ended: {1}".format(account, why))
    _keep(account, dict(record, ended=int(time.time()), why=why))
    path = os.path.join(RECORDS, account + ".json")
    if os.path.exists(path):
        os.unlink(path)


def _is_ours(account: str) -> bool:
    """Return whether the account was made for a grant: its first group says so."""
    try:
        found = pwd.getpwnam(account)
    except KeyError:
        return False
    done = subprocess.run(["id", "-gn", account], stdout=subprocess.PIPE, check=False)
    return found.pw_uid >= 1000 and done.stdout.decode().strip() == GROUP


def _kill(account: str) -> None:
    """End all processes of an account; some may start others while we look, so look again."""
    for _ in range(5):
        _run("pkill", "-KILL", "-u", account)
        if _run("pgrep", "-u", account) != 0:
            return
        time.sleep(0.2)


def _run(*command: str) -> int:
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        ).returncode
    except FileNotFoundError:
        return 127


def _keep(account: str, record: dict) -> None:
    os.makedirs(ENDED, mode=0o700, exist_ok=True)
    write(os.path.join(ENDED, "{0}-{1}.json".format(account, record["ended"])), json.dumps(record) + "\n", 0o600)


def write(path: str, text: str, mode: int) -> bool:
    """Replace a file in one step; return whether it said something else."""
    try:
        with open(path, encoding="utf-8") as file:
            if file.read() == text and os.stat(path).st_mode & 0o777 == mode:
                return False
    except FileNotFoundError:
        pass
    temporary = os.path.join(os.path.dirname(path), ".{0}.new".format(os.path.basename(path)))
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    os.rename(temporary, path)
    return True


def set_timer() -> None:
    """Have the timer start this program when the next grants end; without grants there is no timer."""
    ends = sorted({record["expires"] for record in records().values() if not is_over(record, 0)})
    timer, service = (os.path.join(_UNITS, UNIT + kind) for kind in (".timer", ".service"))
    if not ends:
        # Stopped before its file goes: a running timer whose unit has vanished is a failed one.
        _run("systemctl", "disable", "--now", UNIT + ".timer")
        for path in (timer, service):
            if os.path.exists(path):
                os.unlink(path)
        _run("systemctl", "daemon-reload")
        _run("systemctl", "reset-failed", UNIT + ".timer")
        return
    moments = [time.strftime("OnCalendar=%Y-%m-%d %H:%M:%S UTC", time.gmtime(end)) for end in ends]
    changed = write(service, _SERVICE.format(PROGRAM), 0o644)
    # Started anew, the timer runs this program at once: only a timer that is another one may be.
    if not write(timer, _TIMER.format("\n".join(moments)), 0o644) and not changed:
        return
    _run("systemctl", "daemon-reload")
    _run("systemctl", "enable", UNIT + ".timer")
    _run("systemctl", "restart", "--no-block", UNIT + ".timer")


def main(accounts: list[str]) -> None:
    """End the grants of these accounts; without any, those whose time is up."""
    now = time.time()
    for account, record in records().items():
        if account in accounts:
            end(account, record, "it was revoked")
        elif not accounts and is_over(record, now):
            end(account, record, "its time was up")
    set_timer()


if __name__ == "__main__":
    main(sys.argv[1:])
