# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Who else is in the fleet, also where a run only has its own hosts."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from contextlib import contextmanager
from typing import Any, Iterable, Iterator, Mapping

from ansible.inventory.manager import InventoryManager
from ansible.plugins.lookup import LookupBase
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

DOCUMENTATION = r"""
name: fleet
short_description: Who else is in the fleet
description:
  - For every host of the fleet the variables that say who and where it is, and those that are asked for besides.
  - These are the hosts of the inventory. Where the inventory is one that C(bedplate) froze for a run, it only has the
    run's own hosts, so that the run starts fast. Then the whole fleet lies beside it in a folder C(.fleet), and is read
    from there, when a play asks for it.
  - What was read is kept beside it for the run's other processes, readable by its owner only; not where a file of the
    inventory has a vaulted value or looks something up, since that may be a secret.
  - Variables are what the inventory says, templates rendered for their host. What a host does not have is left out.
  - Always given are C(ansible_host), C(bedplate_class), C(bedplate_failure_domain), C(bedplate_primary_ip4),
    C(bedplate_primary_ip6), C(bedplate_region), C(bedplate_role), C(bedplate_site), C(bedplate_tags) and
    C(bedplate_tenant).
author: The Bedplate developers
options:
  _terms:
    description: Names of more variables.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Show how many hosts there are
  ansible.builtin.debug:
    msg: "{{ lookup('bedplate.datacenter.fleet') | length }}"
"""

RETURN = r"""
_raw:
  description: Name of host → name of variable → value.
  type: list
  elements: dict
"""

FOLDER = ".fleet"
IDENTITY = (
    "ansible_host",
    "bedplate_class",
    "bedplate_failure_domain",
    "bedplate_primary_ip4",
    "bedplate_primary_ip6",
    "bedplate_region",
    "bedplate_role",
    "bedplate_site",
    "bedplate_tags",
    "bedplate_tenant",
)
Fleet = dict[str, dict[str, Any]]
# What lies beside a frozen inventory does not change while the run goes on.
_read: dict[tuple[str, ...], Fleet] = {}
_MAY_BE_SECRET = re.compile(rb"\$ANSIBLE_VAULT;|\b(lookup|query|q)\s*\(")


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: Mapping[str, Any] | None = None) -> list[dict[str, dict[str, Any]]]:
        """Return one dictionary: name of host → name of variable → value."""
        variables = variables or {}
        names = tuple(dict.fromkeys((*IDENTITY, *map(str, terms))))
        frozen = _whole_fleets(variables.get("ansible_inventory_sources") or ())
        if not frozen:
            return [_chosen(variables["groups"]["all"], variables["hostvars"], names)]
        key = (*frozen, "", *names)
        if key not in _read:
            _read[key] = self._kept(frozen, names)
        return [_read[key]]

    def _kept(self, sources: list[str], names: tuple[str, ...]) -> Fleet:
        """Return what another process of this run has read, or read it: each task has a process of its own."""
        beside = self._loader.get_basedir()  # variables beside the playbook count too
        places = {*map(os.path.dirname, sources), os.path.join(beside, "group_vars"), os.path.join(beside, "host_vars")}
        if any(map(_may_have_secrets, places)):
            return self._read_fleet(sources, names)
        digest = hashlib.sha256(json.dumps([sources, names]).encode("utf-8")).hexdigest()[:16]
        path = os.path.join(os.path.dirname(sources[0]), ".answer-%s.json" % digest)
        with _alone(path):
            known = _answer(path)
            if known is None:
                known = self._read_fleet(sources, names)
                _keep(path, known)
        return known

    def _read_fleet(self, sources: list[str], names: tuple[str, ...]) -> Fleet:
        inventory = InventoryManager(loader=self._loader, sources=sources)
        hostvars = HostVars(inventory, VariableManager(loader=self._loader, inventory=inventory), self._loader)
        return _chosen(list(inventory.hosts), hostvars, names)


def _whole_fleets(sources: Iterable[str]) -> list[str]:
    """Return what lies beside these sources of an inventory, if each was frozen; else nothing."""
    found = []
    for source in sources:
        folder, name = (source, "") if os.path.isdir(source) else os.path.split(source)
        found.append(os.path.join(folder, FOLDER, name))
    return found if all(map(os.path.exists, found)) else []


@contextmanager
def _alone(path: str) -> Iterator[None]:
    """Let one process of the run at a time go on; where no lock file can be, all of them."""
    try:
        handle = os.open(path + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _may_have_secrets(folder: str) -> bool:
    """Return whether a file of variables or hosts below a folder may have something that is not to be written down."""
    for above, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith("."):
                with open(os.path.join(above, name), "rb") as file:
                    if _MAY_BE_SECRET.search(file.read()):
                        return True
    return False


def _answer(path: str) -> Fleet | None:
    try:
        with open(path, encoding="utf-8") as file:
            fleet: Fleet = json.load(file)
    except (OSError, ValueError):
        return None
    return fleet


def _keep(path: str, fleet: Fleet) -> None:
    """Write down what was read, if it is plain and the place can be written to."""
    temporary = "%s.%d" % (path, os.getpid())
    try:
        plain = _plain(fleet)
        data = json.dumps(plain)
        if json.loads(data) != plain:
            return
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(data)
        os.replace(temporary, path)
    except (OSError, TypeError, ValueError):
        return


def _plain(value: Any) -> Any:  # noqa: ANN401 (what variables hold)
    """Return a value with everything in it rendered, which newer versions of Ansible do when it is looked at."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def _chosen(hosts: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]], names: tuple[str, ...]) -> Fleet:
    chosen = {}
    for host in hosts:
        known = hostvars[host]
        chosen[str(host)] = {name: known[name] for name in names if name in known}
    return chosen
