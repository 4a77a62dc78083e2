"""Who or what did it: from what a host's logs tell to one change on it. Nothing is guessed."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from bedplate.drift.evidence import Act, Evidence
from bedplate.drift.observation import By, Confidence
from bedplate.drift.traces import Command
from bedplate.drift.watching import Change

# Between a command and the change that it makes, in seconds; of an editor, and of what runs for as long as apt may.
_AT_ONCE, _LONG = 120, 12 * 3600
# Clocks of logs and files are not read at the same moment.
_SLACK = 2
_FILES = frozenset({"file", "suid"})
_ACCOUNTS = frozenset(
    ["useradd", "adduser", "usermod", "userdel", "deluser", "groupadd", "addgroup", "groupmod", "groupdel", "delgroup",
     "gpasswd", "passwd", "chsh", "chfn", "chage", "chpasswd", "newusers", "vipw", "vigr"]
)  # fmt: skip
# Which programs change things of a kind that they name, other than by files.
_TOOLS: Mapping[str, frozenset[str]] = {
    "package": frozenset(["apt", "apt-get", "aptitude", "apt-mark", "dpkg"]),
    "unit": frozenset(["systemctl", "service", "invoke-rc.d", "update-rc.d", "kill", "pkill", "killall"]),
    "sysctl": frozenset(["sysctl"]),
    "user": _ACCOUNTS,
    "group": _ACCOUNTS,
    "mount": frozenset(["mount", "umount"]),
    "module": frozenset(["modprobe", "insmod", "rmmod"]),
    "firewall": frozenset(["nft", "iptables", "ip6tables", "iptables-restore", "ufw", "firewall-cmd"]),
    "host": frozenset(["hostnamectl", "hostname", "timedatectl"]),
}
# Commands that change things of a kind without naming each.
_WHOLESALE = {
    "sysctl": re.compile(r"\bsysctl\b.*\s(?:-\w*p|--load|--system)\b"),
    "firewall": re.compile(r"\bnft\b.*\s(?:-\w*f|--file)\b|\bip6?tables-restore\b|\bufw\s+(?:en|dis)able|\bufw\s+re"),
    "mount": re.compile(r"\bmount\b.*\s-\w*a"),
    "audit": re.compile(r"\b(?:auditctl\b.*\s-[aAdDRwW]|augenrules\b)"),
    "user": re.compile(r"\b(?:chpasswd|newusers|vipw)\b"),
    "group": re.compile(r"\b(?:newusers|vigr)\b"),
}
_COMMANDS = frozenset({"sudo", "exec"})
# These tell what happened, and of whose doing it was only that it was not theirs.
_WITHOUT_WHO = frozenset({"dpkg", "failure"})
_DROP_IN = re.compile(r"/(?:etc|run)/systemd/system(?:\.control)?/([^/]+)\.d/[^/]+")
# Of systemctl, what changes an attribute of a unit.
_VERBS = {
    "state": {
        "start",
        "stop",
        "restart",
        "try-restart",
        "reload-or-restart",
        "condrestart",
        "kill",
        "isolate",
        "--now",
    },
    "enabled": {"enable", "disable", "mask", "unmask", "reenable", "preset"},
    "configuration": {"edit", "set-property", "revert"},
}
_UNITS = "/etc/systemd/system/"
_HOME = re.compile(r"/home/([^/]+)/.+")
_command = lru_cache(maxsize=2048)(Command)
_PROC = str.maketrans("./", "/.")


def trace(evidence: Evidence, change: Change, attribute: str) -> By | None:
    """Return who or what changed this attribute; None where nothing that the host knows says so."""
    found = [*_found(evidence, change, attribute)]
    if found:
        rank = list(Confidence)
        # Of those of one second, the later one.
        best = min(reversed(found), key=lambda one: (one[1].source in _WITHOUT_WHO, rank.index(one[0]), -one[1].at))
        return _by(best[1], best[0])
    wholesale = _WHOLESALE.get(change.kind)
    acts = [act for act in evidence.acts if wholesale and act.source in _COMMANDS and wholesale.search(act.command)]
    if acts and len({act.user for act in acts}) == 1 and not evidence.cut:
        return _by(acts[-1], Confidence.POSSIBLE)
    return None


def _found(evidence: Evidence, change: Change, attribute: str) -> Iterator[tuple[Confidence, Act]]:
    moment = _moment(evidence, change, attribute)
    package = change.after.get("package") or change.before.get("package")
    for act in evidence.acts:
        if not act.command or (moment is not None and act.at > moment + _SLACK):
            continue
        confidence = _says(act, change, package, attribute) or _tells(act, evidence, change, attribute)
        if confidence and (moment is None or act.at + _lasts(act, change.kind) >= moment):
            yield confidence, act


def _moment(evidence: Evidence, change: Change, attribute: str) -> int | None:
    """Return when it happened, as far as the host knows."""
    if change.kind == "unit" and attribute == "state":
        stops = [act.at for act in evidence.acts if act.source in {"systemd", "failure"} and change.key in act.names]
        return max(stops, default=None)
    if change.kind == "package" and attribute != "selection":
        changes = [act.at for act in evidence.acts if _says(act, change, None, attribute)]
        return max(changes, default=None)
    if change.kind not in _FILES or change.key not in evidence.touched:
        return None
    written, touched = evidence.touched[change.key]
    # A file may have been given an older time of its content than that of the change.
    return written if attribute in {"content", "presence"} and written >= evidence.since else touched


def _lasts(act: Act, kind: str) -> int:
    if act.source in {"apt", "dpkg"}:
        return 0 if kind == "package" else _LONG
    return _LONG if _command(act).is_long or kind == "package" else _AT_ONCE


def _says(act: Act, change: Change, package: str | None, attribute: str) -> Confidence | None:
    """Return how well a log says itself that this was changed."""
    names = set(act.names)
    if act.source == "audit":
        return Confidence.CERTAIN if change.kind in _FILES and change.key in names else None
    if act.source == "failure":
        return Confidence.CERTAIN if change.kind == "unit" and attribute == "state" and change.key in names else None
    if act.source not in {"apt", "dpkg"}:
        return None
    if change.kind in {"package", "update"} and attribute != "selection":
        return Confidence.CERTAIN if change.key.partition(":")[0] in names else None
    if package and package.partition(":")[0] in names:
        return Confidence.CERTAIN
    return Confidence.LIKELY if change.kind == "unit" and posixpath.splitext(change.key)[0] in names else None


def _tells(act: Act, evidence: Evidence, change: Change, attribute: str) -> Confidence | None:
    """Return whether somebody's command names what was changed, and changes such things."""
    command = _command(act)
    if act.source not in _COMMANDS or command.only_looks:
        return None
    if change.kind in _FILES:
        named = command.writes(change.key, attribute) or _edits(command, change)
    elif change.kind == "socket":
        named = _listens(command, change)
    elif change.kind == "mount":
        named = command.writes(change.key, attribute) and _is_with_tool("mount", command)
    else:
        names = _names(evidence, change)
        written = _files_of(evidence, change, attribute)
        named = _is_with_tool(change.kind, command) and command.names(*names) and _does(command, attribute)
        named |= any(command.writes(path, "value") for path in written)
    return Confidence.LIKELY if named else None


def _is_with_tool(kind: str, command: Command) -> bool:
    return not _TOOLS.get(kind, frozenset()).isdisjoint(command.programs)


def _does(command: Command, attribute: str) -> bool:
    """Whether what is said to the program that changes things of this kind is about this attribute."""
    if attribute == "configured":
        return False
    verbs = _VERBS.get(attribute) if "systemctl" in command.programs else None
    return verbs is None or not verbs.isdisjoint(command.words)


def _edits(command: Command, change: Change) -> bool:
    """Whether a program writes a file that it does not name."""
    path, linked = change.key, change.after.get("target") or change.before.get("target")
    drop_in, home = _DROP_IN.fullmatch(path), _HOME.fullmatch(path)
    unit = drop_in[1] if drop_in else posixpath.basename(linked) if linked and path.startswith(_UNITS) else None
    if unit and _is_with_tool("unit", command):
        return command.names(unit, unit.removesuffix(".service"))
    if home and _is_with_tool("user", command):
        return command.names(home[1])
    return (command.program, path) == ("visudo", "/etc/sudoers")


def _listens(command: Command, change: Change) -> bool:
    port, program = change.key.rpartition(":")[2], change.after.get("program")
    return bool(program) and program in command.programs and any(word.endswith(port) for word in command.words[1:])


def _names(evidence: Evidence, change: Change) -> list[str]:
    """Return the names by which programs that change it know a thing."""
    key = change.key
    if change.kind == "unit":
        return [key, key.removesuffix(".service")]
    if change.kind == "package":
        return [key, key.partition(":")[0]]
    if change.kind == "sysctl":
        return [key, key.translate(_PROC), *evidence.origins.get(key, ())]
    if change.kind == "host":
        return ["hostname", "set-hostname"] if key == "name" else ["set-timezone"]
    if change.kind == "firewall":
        return [key.rpartition(" ")[2], "ruleset"]
    return [key]


def _files_of(evidence: Evidence, change: Change, attribute: str) -> Sequence[str]:
    """Return the files with which it changes."""
    if change.kind == "unit":
        return _paths(change)
    if change.kind == "sysctl":
        live = f"/proc/sys/{change.key.translate(_PROC)}"
        return evidence.origins.get(change.key, ()) if attribute == "configured" else [live]
    if change.kind == "host":
        return ["/etc/hostname"] if change.key == "name" else ["/etc/localtime"]
    return ()


def _paths(change: Change) -> list[str]:
    """Return the files of a unit's configuration, as far as these are not as they were."""
    before, after = (state.get("configuration", "").split() for state in (change.before, change.after))
    return [part.rpartition("=")[0] for part in {*before} ^ {*after}]


def _by(act: Act, confidence: Confidence) -> By:
    where = f"in {act.folder}: " if act.folder else ""
    source = {"exec": "audit", "failure": "systemd"}.get(act.source, act.source)
    told = f"{source}: {act.user or 'nobody in person'}: {where}{act.command}"
    return By(act.user, act.command, told, datetime.fromtimestamp(act.at, UTC), source, confidence)
