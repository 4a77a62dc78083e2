# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""What is wrong with a list of repositories and packages, and what differs from it on a host."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_WORD = re.compile(r"[a-z0-9][a-z0-9-]*\Z")
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+\Z")
_URI = re.compile(r"(https?|ftp|mirror\+https?|file|copy)://?[^\s#\[\]]+\Z")
_SUITE = re.compile(r"[A-Za-z0-9._/-]+\Z")
_PATH = re.compile(r"/[A-Za-z0-9._/-]+\Z")
# What systemd's calendar events and spans of time are made of; systemd itself reads them before they are used.
_TIME = re.compile(r"[A-Za-z0-9*:/,.~ -]+\Z")
_ORIGIN = re.compile(r"[A-Za-z]+=[A-Za-z0-9_./:~+*${} -]+(,[A-Za-z]+=[A-Za-z0-9_./:~+*${} -]+)*\Z")
_KEY = re.compile(
    r"-----BEGIN PGP PUBLIC KEY BLOCK-----\n(?:[A-Za-z0-9+/=:.,() -]*\n)+-----END PGP PUBLIC KEY BLOCK-----\s*\Z"
)


def _key_fault(repository: Mapping[str, Any]) -> str:
    key, keyring = repository.get("key") or "", repository.get("keyring") or ""
    if bool(key) == bool(keyring):
        return "has both key and keyring; one of them signs it" if key else "has no key: without one apt trusts nobody"
    if keyring and not _PATH.match(keyring):
        return "has the keyring {0!r}, which is no absolute path".format(keyring)
    if key and not _KEY.match(key.replace("\r\n", "\n")):
        return "has a key that is no ASCII-armored PGP public key block"
    return ""


def _repository_faults(repository: Mapping[str, Any]) -> list[str]:
    name = repository["name"]
    if not _WORD.match(name):
        return ["packages_repositories: {0!r} is no word of lower-case letters, digits and hyphens".format(name)]
    patterns = {"uris": _URI, "suites": _SUITE, "components": _SUITE, "architectures": _WORD}
    faults = [
        "packages_repositories: {0} has {1!r} among its {2}, where it cannot be".format(name, str(value), field)
        for field, pattern in patterns.items()
        for value in repository.get(field) or []
        if not pattern.match(str(value))
    ]
    missing = [field for field in ("uris", "suites") if not repository.get(field)]
    faults += ["packages_repositories: {0} has no {1}".format(name, field) for field in missing]
    key = _key_fault(repository)
    return [*faults, "packages_repositories: {0} {1}".format(name, key)] if key else faults


def packages_faults(repositories: Iterable[Mapping[str, Any]], settings: Mapping[str, Any]) -> list[str]:
    """Return one sentence for each fault, each naming the variable.

    Args:
        repositories: entries of packages_repositories.
        settings: names (lists of packages), mirrors (addresses) and times, each by the name of its variable;
            origins (patterns of unattended-upgrades) and folder (of the metrics).
    """
    faults = [fault for repository in repositories for fault in _repository_faults(repository)]
    for variable, names in settings["names"].items():
        wrong = [name for name in names if not _PACKAGE.match(str(name))]
        faults += ["{0}: {1!r} is no name of a package".format(variable, str(name)) for name in wrong]
    for variable, uri in settings["mirrors"].items():
        if uri and not _URI.match(uri):
            faults.append("{0} is {1!r}, which is no address such as http://mirror.example.com".format(variable, uri))
    for variable, text in settings["times"].items():
        if not _TIME.match(str(text)):
            faults.append("{0} is {1!r}, which is no time that systemd knows".format(variable, str(text)))
    for origin in settings["origins"]:
        if not _ORIGIN.match(str(origin)):
            faults.append("packages_upgrade_origins_extra: {0!r} is no pattern such as origin=Example".format(origin))
    if not _PATH.match(settings["folder"]):
        faults.append("packages_textfile_directory is {0!r}, which is no absolute path".format(settings["folder"]))
    return faults + _contradictions(settings["names"])


def _contradictions(names: Mapping[str, Any]) -> list[str]:
    both = sorted(set(names["packages_present"]) & set(names["packages_banned"]))
    return ["{0} is in packages_present and in packages_banned".format(name) for name in both]


def packages_state(lines: Iterable[str]) -> dict[str, list[str]]:
    """Return installed and held packages from lines of "want status name"."""
    rows = [line.split(" ") for line in lines if line]
    return {
        "installed": sorted({name for _, status, name in rows if status == "installed"}),
        "held": sorted({name for want, _, name in rows if want == "hold"}),
    }


def packages_selections(wanted: Iterable[str], state: Mapping[str, list[str]], exclusive: bool) -> list[dict[str, str]]:
    """Return the holds to set and, when they are to be the only ones, those to take off.

    A package that is not installed has no version to be held at.
    """
    wanted = set(wanted)
    missing = wanted & set(state["installed"]) - set(state["held"])
    others = set(state["held"]) - wanted if exclusive else set()
    selections = [(name, "hold") for name in missing] + [(name, "install") for name in others]
    return [{"name": name, "selection": selection} for name, selection in sorted(selections)]


class FilterModule:
    """Filters of the role packages."""

    def filters(self) -> dict[str, Any]:
        return {
            "packages_faults": packages_faults,
            "packages_selections": packages_selections,
            "packages_state": packages_state,
        }
