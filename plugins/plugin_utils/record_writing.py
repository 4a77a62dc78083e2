# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Has NetBox say what a host says, by pynetbox on the control node.

Needs the right to view and change the host's record, and to view, add and change its interfaces; since NetBox 4.2 the
same for MAC addresses. Nothing is ever removed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .netbox_writing import asked, client
from .record_comparison import platform_slugs
from .record_difference import Difference
from .record_interfaces import paired

_FIELDS = ("serial", "memory", "vcpus", "disk")
_CUSTOM_FIELDS = ("memory_mb", "disk_gb")
_MEGABYTES_SINCE = (4, 1)  # The release of NetBox from which on disks are MB, and not GB.


class Writer:
    """Writes differences of one host to NetBox.

    Args:
        kind: `device` or `virtual_machine`.
        host: the record, of pynetbox.
        interfaces: its interfaces, of pynetbox.
        record: the same as `record_reading.described` it.
        facts: what the host says.
    """

    def __init__(
        self,
        kind: str,
        host: Any,  # noqa: ANN401 (pynetbox has no types)
        interfaces: Sequence[Any],
        record: Mapping[str, Any],
        facts: Mapping[str, Any],
    ) -> None:
        self._kind, self._host, self._facts = kind, host, facts
        self._client = client()
        self._interfaces = {each.id: each for each in interfaces}
        pairs = paired(record["interfaces"], facts.get("interfaces") or ())
        self._ids = {theirs["name"]: ours["id"] for ours, theirs in pairs if ours and theirs}

    def plan(self, differences: Sequence[Difference]) -> dict[str, Callable[[], Any]]:
        """Return by field what would write it; fields that cannot be written are left out.

        Raises:
            AnsibleActionFail: NetBox refuses to say what it has.
        """
        plans = {each.field: self._plan(each) for each in differences if each.writable}
        return {field: write for field, write in plans.items() if write is not None}

    def _plan(self, difference: Difference) -> Callable[[], Any] | None:
        field, found = difference.field, difference.on_host
        if field in _FIELDS:
            value = self._disk(found) if field == "disk" else found
            return lambda: self._host.update({field: value})
        if field in _CUSTOM_FIELDS:
            return lambda: self._host.update({"custom_fields": {field: found}})
        if field == "platform":
            number = self._platform()
            return None if number is None else lambda: self._host.update({"platform": number})
        name = field.split(" ")[1]
        if field.endswith(" mac"):
            return lambda: self._set_mac(self._interfaces[self._ids[name]], str(found))
        return lambda: self._add_interface(name, None if found == "present" else str(found))

    def _disk(self, megabytes: Any) -> int:  # noqa: ANN401
        numbers = [int(part) for part in str(asked(lambda: self._client.version)).split(".")[:2] if part.isdigit()]
        return int(megabytes) if tuple(numbers) >= _MEGABYTES_SINCE else max(1, round(int(megabytes) / 1000))

    def _platform(self) -> int | None:
        """Return the platform of NetBox that the host's release is; None if NetBox has none such."""
        slugs = platform_slugs(self._facts.get("system") or {})
        known = {each.slug: each.id for each in asked(lambda: list(self._client.dcim.platforms.filter(slug=slugs)))}
        return next((known[slug] for slug in slugs if slug in known), None)

    def _add_interface(self, name: str, mac: str | None) -> None:
        # A port's type is its form; which one that is, nobody but who can see it knows.
        kind = {"type": "other"} if self._kind == "device" else {}
        created = self._endpoint().create({self._kind: self._host.id, "name": name, **kind})
        if mac is not None:
            self._set_mac(created, mac)

    def _endpoint(self) -> Any:  # noqa: ANN401
        return (self._client.dcim if self._kind == "device" else self._client.virtualization).interfaces

    def _set_mac(self, interface: Any, mac: str) -> None:  # noqa: ANN401
        """Set the hardware address; since NetBox 4.2 it is an object of its own, that the interface refers to."""
        if "primary_mac_address" not in dict(interface):
            interface.update({"mac_address": mac})
            return
        model = "dcim.interface" if self._kind == "device" else "virtualization.vminterface"
        owner = {"assigned_object_type": model, "assigned_object_id": interface.id}
        own = {"interface_id" if self._kind == "device" else "vminterface_id": interface.id}
        known = list(self._client.dcim.mac_addresses.filter(mac_address=mac, **own))
        address = known[0] if known else self._client.dcim.mac_addresses.create({"mac_address": mac, **owner})
        interface.update({"primary_mac_address": address.id})
