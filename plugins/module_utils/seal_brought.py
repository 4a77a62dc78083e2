# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""What an update that is accounted for brought, and what nobody has touched since: all else is somebody's own doing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from .seal_files import shown
from .seal_packages import Packages, md5
from .seal_system import read
from .seal_watch import matching

_ENABLED_BY_PACKAGES = "/var/lib/systemd/deb-systemd-helper-enabled/"
_UNITS = "/etc/systemd/system/"
_ALTERNATIVES = "/var/lib/dpkg/alternatives/"
_AUTHORITIES, _CHOSEN_AUTHORITIES = "/usr/share/ca-certificates/", "/etc/ca-certificates.conf"
_MANY = (_AUTHORITIES + "*.crt", _AUTHORITIES + "*/*.crt", "/etc/apparmor.d/*")
# Clocks of files and of programs are not read at the same moment.
_SLACK = 1


class Brought:
    """What updates brought to a host.

    A file is theirs if it is as the package has it, and was last changed in any way while the update was made.

    Args:
        packages: what dpkg knows now.
        updated: by package, its version, and from when to when it was installed, in seconds since 1970. One that has
            another version by now is left out.
    """

    def __init__(self, packages: Packages, updated: Mapping[str, list]) -> None:
        self._packages = packages
        self._times: dict[str, tuple[int, int]] = {}
        for name, (version, start, end) in updated.items():
            known = packages.name_of(name)
            if packages.state(known).get("version") == version:
                self._times[known] = (int(start) - _SLACK, int(end) + _SLACK)

    def files(self, paths: Iterable[str]) -> dict[str, list[str]]:
        """Return, by path, the package; and whether only its `content` is the package's or `all` of it.

        Of configuration, dpkg leaves the mode as it was.
        """
        owners = self._packages.brought(list(paths), self._times)
        return {
            path: [name, "content" if path in self._packages.configuration else "all"]
            for path, name in owners.items()
            if self._is_of(path, name) and (path != _CHOSEN_AUTHORITIES or self._all_authorities())
        }

    def alternatives(self, links: Mapping[str, str]) -> dict[str, list[str]]:
        """Return which links that choose one of several programs were set so by an update.

        Args:
            links: with where they lead.
        """
        owners = self._packages.owners_of(links.values(), self._times)
        return {
            path: [owners[end], "all"]
            for path, end in links.items()
            if end in owners and self._is_of(path, owners[end]) and is_automatic(path)
        }

    def units(self, links: Mapping[str, str]) -> dict[str, list[str]]:
        """Return which units start at boot because an update had it so.

        Args:
            links: by unit, the link that has it started.
        """
        owners = owners_of_links(self._packages, links.values(), self._times)
        return {
            unit: [owners[link], "all"]
            for unit, link in links.items()
            if link in owners and self._is_of(link, owners[link])
        }

    def _is_of(self, path: str, name: str) -> bool:
        """Return whether a path was last changed while a package was installed."""
        if name not in self._times or shown(path) != path:
            return False
        try:
            changed = os.lstat(path).st_ctime
        except OSError:
            return False
        start, end = self._times[name]
        return start <= changed <= end

    def _all_authorities(self) -> bool:
        """Return whether the list of trusted authorities is that of the package, without anybody's choice."""
        lines = {line for line in read(_CHOSEN_AUTHORITIES).splitlines() if line and not line.startswith("#")}
        paths = self._packages.files("ca-certificates")
        own = (path for path in paths if path.startswith(_AUTHORITIES) and path.endswith(".crt"))
        return lines == {path[len(_AUTHORITIES) :] for path in own}


def unlike_packages(packages: Packages) -> list[str]:
    """Return authorities and rules of AppArmor that are not as packages brought them: all of them were too much."""
    known = {**packages.configuration, **packages.sums("ca-certificates")}
    return sorted(path for path in matching(_MANY) if os.path.isfile(path) and md5(path) != known.get(path))


def owners_of_links(packages: Packages, links: Iterable[str], names: Iterable[str]) -> dict[str, str]:
    """Return which of these packages had a unit started at boot, by the link that does it, where one of them did."""
    links, names = list(links), list(names)
    made = [link for link in links if link.startswith(_UNITS)]
    by_packages = [link for link in made if os.path.lexists(link.replace(_UNITS, _ENABLED_BY_PACKAGES, 1))]
    ends = {link: os.path.realpath(link) for link in by_packages}
    owners = packages.owners_of(ends.values(), names)
    found = {link: owners[end] for link, end in ends.items() if end in owners}
    return {**found, **packages.owners_of(links, names)}


def is_automatic(link: str) -> bool:
    """Return whether dpkg chooses what an alternative leads to: not somebody who said so."""
    return read(_ALTERNATIVES + os.path.basename(link)).partition("\n")[0] == "auto"
