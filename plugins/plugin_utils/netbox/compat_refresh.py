"""From the lists of the last read for `compat: nb_inventory`, with what changed since, to those of now.

What hosts carry of other objects is NetBox's own to say, so hosts are read again that carry one that changed. Of what
cannot be told whom it concerns, all is read again.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Dict, FrozenSet, List, Mapping, Sequence, Set, Tuple

from . import changes, objects, pages, polling
from .alike import Alike
from .changes import Change, NotExactError
from .client import Client
from .compat_lists import ALWAYS, HOSTS, Asked, Lists, Objects, Pair, read_list, read_version
from .objects import ADDRESS
from .pace import Pace, gather

# Type of an object -> in which columns hosts carry it.
_CARRIED: Mapping[str, Tuple[str, ...]] = {
    "dcim.site": ("site",),
    "dcim.location": ("location",),
    "dcim.rack": ("rack",),
    "dcim.devicerole": ("role",),
    "dcim.platform": ("platform",),
    "dcim.devicetype": ("device_type",),
    "dcim.virtualchassis": ("virtual_chassis",),
    "dcim.device": ("parent_device", "device"),
    "tenancy.tenant": ("tenant",),
    "virtualization.cluster": ("cluster",),
    "extras.tag": ("tags",),
    "extras.configtemplate": ("config_template",),
    ADDRESS: ("primary_ip", "primary_ip4", "primary_ip6", "oob_ip"),
}
# The same of services.
_SERVICES_CARRY: Mapping[str, Tuple[str, ...]] = {
    "dcim.device": ("device", "parent"),
    "virtualization.virtualmachine": ("virtual_machine", "parent"),
    "extras.tag": ("tags",),
    ADDRESS: ("ipaddresses",),
}
# These only the short lists carry that are read again as a whole.
_LISTED = frozenset((
    "dcim.region", "dcim.sitegroup", "dcim.rackrole", "virtualization.clustertype", "virtualization.clustergroup",
))  # fmt: skip
# These nothing carries that is read, unless interfaces are.
_ELSEWHERE = frozenset(("circuits", "vpn", "wireless"))
_APART = frozenset((
    "dcim.cable", "ipam.prefix", "ipam.vlan", "ipam.vlangroup", "ipam.vrf", "ipam.aggregate", "ipam.iprange",
    "ipam.routetarget", "ipam.role", "ipam.asn", "ipam.rir",
))  # fmt: skip
# These nothing carries.
_NEVER = frozenset((
    "extras.journalentry", "extras.imageattachment", "extras.webhook", "extras.eventrule", "extras.savedfilter",
    "extras.customlink", "extras.exporttemplate", "users.user", "users.group", "users.token", "users.objectpermission",
    "tenancy.contact", "tenancy.contactassignment", "tenancy.contactgroup", "tenancy.contactrole",
    "tenancy.tenantgroup",
))  # fmt: skip
_CONTEXTS = frozenset(label for label, kind in objects.KINDS.items() if kind.decides_context)
_IDS_AT_ONCE = 100
_MOST_HOSTS = 0.3


class CompatRefresh:
    """One refresh.

    Args:
        last: what was read before; it has a position.
    """

    def __init__(self, client: Client, asked: Asked, page_size: int, last: Lists) -> None:
        self._client = client
        self._asked = asked
        self._page_size = page_size
        self._last = last
        self._lists = pages.Lists(client, page_size)
        self._before: Dict[str, Any] = last.position or {}
        self._alike = Alike()
        parameters = self._before.get("parameters") or {}
        self._parameters = {kind: [(name, value) for name, value in pairs] for kind, pairs in parameters.items()}

    def run(self) -> Tuple[Lists, bool]:
        """Return the lists of now, and whether anything changed.

        Raises:
            NotExactError: what changed cannot be told exactly.
            SourceError: there was no complete and well-formed answer.
        """
        try:
            version = read_version(self._client)
            if self._before.get("changelog") is None:
                raise NotExactError("the changelog could not be seen: %s" % self._before.get("unseen"))
            position = dict(self._before)
            changed = self._changed(position)
            counts = self._counts()
            if not changed and counts == self._before["counts"]:
                return Lists(version, self._last.objects, position), False
            found = self._applied(changed)
            if {kind: len(found[kind]) for kind in counts} != counts:
                raise NotExactError("NetBox counts another number of hosts than the changes explain")
            position["counts"] = counts
            return Lists(version, found, position), True
        finally:
            self._client.close()

    def _changed(self, position: Dict[str, Any]) -> Set[Change]:
        """Return what changed that concerns what is read, and note in the position up to where that is."""
        asked_at = changes.as_server_time(self._client.server_time)
        since = changes.changes_since(self._lists, self._before["changelog"])
        polled_from = changes.polled_from(self._before.get("asked_at"))
        updated = polling.poll(self._client, self._lists, polled_from, by_graphql=False, services=False)
        position.update({"changelog": since.position, "asked_at": asked_at, "polled": updated})
        changed = {*since.changes, *polling.news(updated, self._before.get("polled"))}
        changed = {change for change in changed if not self._is_apart(change[0])}
        self._refuse(frozenset(label for label, _number in changed))
        return changed

    def _is_apart(self, label: str) -> bool:
        if self._asked.config_context and label in _CONTEXTS:
            return False
        if label in _NEVER or label.split(".", 1)[0] == "core":
            return True
        return not self._asked.interfaces and (label in _APART or label.split(".", 1)[0] in _ELSEWHERE)

    def _refuse(self, labels: FrozenSet[str]) -> None:
        """Raise NotExactError if something changed of which it cannot be told which objects it concerns."""
        known = () if self._asked.interfaces else (*_CARRIED, *objects.HOSTS, *_LISTED, objects.SERVICE)
        others = sorted(labels.difference(known))
        related = sorted(labels - objects.HOSTS.keys() - {objects.SERVICE})
        if others:
            raise NotExactError("%s was changed" % ", ".join(others))
        if self._asked.config_context and _CONTEXTS & labels:
            raise NotExactError("%s was changed, on which config contexts may depend" % ", ".join(related))
        if related and (self._asked.both or self._asked.devices or self._asked.machines):
            raise NotExactError("%s was changed, on which the filters may depend" % ", ".join(related))

    def _counts(self) -> Dict[str, int]:
        counted = {
            kind: [partial(self._lists.count, HOSTS[kind], _without_exclusion(pairs))]
            for kind, pairs in self._parameters.items()
        }
        return {kind: count for kind, (count,) in gather(counted, Pace()).items()}

    def _applied(self, changed: Set[Change]) -> Dict[str, Objects]:
        found = dict(self._last.objects)
        for name, path in ALWAYS.items():
            found[name] = read_list(self._client, path, (), self._page_size, self._alike)
        numbers: Dict[str, Set[int]] = {}
        for label, number in changed:
            numbers.setdefault(label, set()).add(number)
        for label, kind in objects.HOSTS.items():
            if kind in self._parameters:
                wanted = numbers.get(label, set()) | _carriers(found[kind], numbers, _CARRIED)
                if len(wanted) > max(1000, len(found[kind]) * _MOST_HOSTS):
                    raise NotExactError("%d hosts changed" % len(wanted))
                found[kind] = self._renewed(found[kind], HOSTS[kind], self._parameters[kind], wanted)
        for name, label, carry in (("services", objects.SERVICE, _SERVICES_CARRY), ("addresses", ADDRESS, {})):
            if name in found:
                wanted = numbers.get(label, set()) | _carriers(found[name], numbers, carry)
                found[name] = self._renewed(found[name], objects.KINDS[label].path, (), wanted)
        return found

    def _renewed(self, entries: Objects, path: str, parameters: Sequence[Pair], numbers: Set[int]) -> Objects:
        """Return a list with these objects as they are now: in their places, gone, or new at the end."""
        now: Dict[int, Dict[str, Any]] = {}
        ids = sorted(numbers)
        for at in range(0, len(ids), _IDS_AT_ONCE):
            asked: List[Pair] = [("id", str(number)) for number in ids[at : at + _IDS_AT_ONCE]]
            for entry in read_list(self._client, path, [*parameters, *asked], self._page_size, self._alike):
                now[entry["id"]] = entry
        kept = [now.pop(entry["id"], None) if entry["id"] in numbers else entry for entry in entries]
        return [*(entry for entry in kept if entry is not None), *now.values()]


def _carriers(entries: Objects, numbers: Mapping[str, Set[int]], carry: Mapping[str, Sequence[str]]) -> Set[int]:
    """Return the ids of the objects that carry one of those that changed."""
    wanted = [(column, numbers[label]) for label in numbers for column in carry.get(label, ())]
    found = {entry["id"] for entry in entries for column, changed in wanted if _carries(entry.get(column), changed)}
    masters = numbers.get("dcim.device", set())
    chassis = [(entry["id"], entry.get("virtual_chassis") or {}) for entry in entries] if masters else []
    return found.union(number for number, whole in chassis if _carries(whole.get("master"), masters))


def _carries(value: Any, numbers: Set[int]) -> bool:  # noqa: ANN401 (one object, or a list of them)
    carried = value if isinstance(value, list) else [value]
    return any(isinstance(one, dict) and one.get("id") in numbers for one in carried)


def _without_exclusion(pairs: Sequence[Pair]) -> List[Pair]:
    return [(name, value) for name, value in pairs if name != "exclude"]
