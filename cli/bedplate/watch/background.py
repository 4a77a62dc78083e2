"""What is known of hosts beyond what a check sees: owners, groups, what they were last brought to."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cached_property

from bedplate.catalog import load_catalog
from bedplate.content import Content
from bedplate.drift.finding import HostFacts, Intent
from bedplate.drift.lifecycle import MovedContent
from bedplate.drift.observation import By
from bedplate.errors import ExternalError
from bedplate.execution.digest import moved_since
from bedplate.execution.inventory import InventoryAdapter
from bedplate.execution.inventory_cache import InventoryNames
from bedplate.runs import HostOutcome, Run, RunMode, RunQuery, RunRepository, RunStatus
from bedplate.watch.netbox import NetBox

# A host that none of so many runs brought to its product counts as one that none ever did.
_RUNS = 50
_ENDED_WELL = frozenset({HostOutcome.OK, HostOutcome.CHANGED})


class FleetBackground:
    """Answers from the inventory and from the store's runs, each asked for once.

    Args:
        adapter: answers about the inventory.
        netbox: knows who changed a host's record; None where nobody can be asked.
    """

    def __init__(
        self, content: Content, adapter: InventoryAdapter, runs: RunRepository, netbox: NetBox | None = None
    ) -> None:
        self._netbox = netbox
        self._content = content
        self._adapter = adapter
        self._runs = runs
        self._moved: dict[str, MovedContent | None] = {}

    @cached_property
    def groups(self) -> Mapping[str, frozenset[str]]:
        """The inventory groups of each host."""
        return groups_by_host(self._adapter.names)

    def facts(self, product: str, hosts: Collection[str]) -> dict[str, HostFacts]:
        """Return owner, site and groups of hosts: the owner is the host's own, or else the product's team.

        Raises:
            InventoryError: there is no usable inventory.
            NotFoundError: there is no such product.
        """
        team = load_catalog(self._content.products).get(product).owner.team
        records = self._adapter.records
        facts = {}
        for host in hosts:
            record = records.get(host)
            owner = (record.owner if record else None) or team
            site = record.site if record else None
            facts[host] = HostFacts(owner, site, self.groups.get(host, frozenset()))
        return facts

    def intents(self, product: str, hosts: Collection[str]) -> dict[str, Intent]:
        """Return what the last runs of a product brought these hosts to; hosts that none reached are left out."""
        missing = set(hosts)
        intents: dict[str, Intent] = {}
        statuses = (RunStatus.SUCCESSFUL, RunStatus.FAILED)
        for run in self._runs.find(RunQuery(product=product, statuses=statuses, limit=_RUNS)):
            if run.mode is not RunMode.APPLY or not missing & set(run.hosts):
                continue
            intent = _intent_of(run)
            reached = {result.host for result in self._runs.host_results(run.id) if result.outcome in _ENDED_WELL}
            intents |= dict.fromkeys(reached & missing, intent)
            missing -= reached
            if not missing:
                break
        return intents

    def recorded(self, host: str, since: datetime | None) -> By | None:
        """Return the last change of a host's record in NetBox since a moment; None where nobody can say."""
        record = self._adapter.records.get(host)
        if record is None or self._netbox is None:
            return None
        with contextlib.suppress(ExternalError):  # who did it is then not known, and all else is
            return self._netbox.last_change(record, since)
        return None

    def moved(self, intent: Intent | None) -> MovedContent | None:
        """Return what of the content has moved since an intent; None where nobody can say."""
        commit = intent.git_commit if intent else None
        if commit is None:
            return None
        if commit not in self._moved:
            self._moved[commit] = moved_since(self._content, commit)
        return self._moved[commit]


def groups_by_host(names: InventoryNames) -> dict[str, frozenset[str]]:
    """Return all groups of each host, also those it is in through a child group; `all` is left out."""
    parents: dict[str, set[str]] = {}
    for name, group in names.groups.items():
        for child in group.children:
            parents.setdefault(child, set()).add(name)
    groups: dict[str, set[str]] = {host: set() for host in names.hosts}
    for name, group in names.groups.items():
        above = _upwards(name, parents)
        for host in group.hosts:
            groups.setdefault(host, set()).update(above)
    return {host: frozenset(found - {"all"}) for host, found in groups.items()}


def _upwards(name: str, parents: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += parents.get(one, ())
    return found


def _intent_of(run: Run) -> Intent:
    return Intent(run.content_digest, run.git_commit, run.finished_at)
