# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""What NetBox says of a host, compared with what the host says of itself.

`record` holds what NetBox says, under the names that a snapshot and the variables `bedplate_*` have for it:

    type            `device` or `virtual_machine`
    serial, model, manufacturer, platform, cluster
                    text, None where NetBox says nothing; the platform is a slug
    memory, vcpus, disk
                    of virtual machines: MB, a number, and MB (or GB: before NetBox 4.1). Snapshots do not have them
    custom_fields   of devices `memory_mb` and `disk_gb` are compared, where NetBox defines them
    interfaces      each with `name`, `type`, `enabled`, `mgmt_only`, `mac_address`, and `addresses` with prefix
                    lengths; where they were read from NetBox for this, also `mac_addresses`, `parent` and `floating`
                    (addresses that DHCP gives or that move between hosts). None where they were not asked for

What a record does not have at all is not known, and is not compared. `record_of_variables` makes one of a host's
variables; `record_reading.described` of what NetBox's REST API answers.

`facts` holds what the module `record_facts` takes down on the host, as `module_utils.record_facts` describes it. What
a host cannot say is None there, and is not compared either: a container has no hardware of its own.

This module is pure: it reads nothing and asks nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import record_sizes as sizes
from .record_difference import Difference
from .record_interfaces import compare_interfaces

# What vendors leave in their firmware where nobody has written anything.
_NOTHING = frozenset(
    [
        "", "0", "0123456789", "123456789", "1234567890", "default", "default string", "empty", "invalid", "n/a", "na",
        "none", "not applicable", "not available", "not provided", "not specified", "oem", "serial number",
        "system product name", "system serial number", "system version", "to be filled by o.e.m.",
        "system manufacturer", "unknown", "x.x", "xxxxxxxx",
    ]
)  # fmt: skip
_ANY_SYSTEM = frozenset(["gnu", "linux", "os", "lts", "server", "x", "amd", "arm", "aarch", "i"])
_WORDS, _NUMBERS = re.compile(r"[a-z]+"), re.compile(r"\d+")
_RECORDED = ("serial", "model", "manufacturer", "platform", "cluster", "interfaces", "custom_fields")


def compare(record: Mapping[str, Any], facts: Mapping[str, Any]) -> list[Difference]:
    """Return in what the host is not as NetBox says, in the order of the fields above."""
    return [
        *_serial(record, facts),
        *_model(record, facts),
        *_platform(record, facts),
        *_cluster(record, facts),
        *_sizes(record, facts),
        *compare_interfaces(record.get("interfaces"), facts.get("interfaces")),
    ]


def not_compared(record: Mapping[str, Any], facts: Mapping[str, Any]) -> list[str]:
    """Return, as sentences, what nothing was said about."""
    found = []
    if facts.get("container"):
        found.append(
            "serial, model, memory, processors and disks: the host is a container, whose hardware is another's"
        )
    elif record.get("type") == "virtual_machine" and "memory" not in record:
        found.append("memory, processors and disks: the inventory does not have them of virtual machines")
    elif record.get("type") == "device" and not {"memory_mb", "disk_gb"} & set(record.get("custom_fields") or ()):
        found.append("memory and disks: NetBox has no custom fields memory_mb and disk_gb of devices")
    if record.get("interfaces") is None:
        found.append("interfaces: the inventory does not read them (its option interfaces is off)")
    elif facts.get("interfaces") is None:
        found.append("interfaces: the host has no program ip that answers in JSON")
    return found


def record_of_variables(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of a host by its variables of the inventory."""
    known = {key: variables["bedplate_" + key] for key in _RECORDED if "bedplate_" + key in variables}
    return {"type": (variables.get("bedplate_netbox") or {}).get("type"), **known}


def said(text: object) -> str | None:
    """Return what firmware says, or None for what says nothing."""
    plain = " ".join(str(text or "").split())
    return None if plain.lower() in _NOTHING or not plain.strip("0 .-") else plain


def platform_slugs(system: Mapping[str, Any]) -> list[str]:
    """Return the slugs that a platform of this release may have, the likeliest first; none if it has no name."""
    name, version = str(system.get("id") or ""), str(system.get("version") or "")
    numbers = _NUMBERS.findall(version)
    if not name or not numbers:
        return [name] if name else []
    spelled = ["-".join(numbers), "".join(numbers), numbers[0]]
    return list(dict.fromkeys([*(name + "-" + each for each in spelled), *(name + each for each in spelled)]))


def _serial(record: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterator[Difference]:
    recorded, found = said(record.get("serial")), said(facts.get("serial"))
    # The serial of a virtual machine is the hypervisor's invention: not every NetBox is to have it.
    if found is None or "serial" not in record or (recorded is None and record.get("type") != "device"):
        return
    if recorded is None or recorded.lower() != found.lower():
        yield Difference("serial", recorded, found, writable=True)


def _model(record: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield a model that is another. Vendors have names of their own for what NetBox's library calls by the usual."""
    found = [text for key in ("manufacturer", "model", "model_version") if (text := said(facts.get(key)))]
    named = said(facts.get("model"))
    if record.get("type") != "device" or named is None or "model" not in record:
        return
    recorded = said(record["model"])
    ours, theirs = _tokens(recorded or ""), _tokens(" ".join(found))
    maker = _tokens(str(record.get("manufacturer") or ""))
    if not ours or not (ours <= theirs | maker or _tokens(named) <= ours):
        yield Difference("model", recorded, named, writable=False)


def _tokens(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", text.lower()))


def _platform(record: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterator[Difference]:
    system = facts.get("system") or {}
    slugs = platform_slugs(system)
    recorded = record.get("platform")
    if slugs and "platform" in record and not (recorded and _is_platform(str(recorded).lower(), system)):
        yield Difference("platform", recorded, slugs[0], writable=True)


def _is_platform(slug: str, system: Mapping[str, Any]) -> bool:
    """Return whether a slug speaks of this release; it may say less than the host, and nothing else."""
    words = _WORDS.findall("{0} {1}".format(system.get("id"), system.get("name")).lower())
    words += ["".join(words[start:end]) for start in range(len(words)) for end in range(start + 2, len(words) + 1)]
    words += _WORDS.findall(str(system.get("codename") or "").lower())
    numbers, version = _NUMBERS.findall(slug), _NUMBERS.findall(str(system.get("version") or ""))
    right = all(ours == theirs for ours, theirs in zip(numbers, version))  # noqa: B905 (Python 3.9 has no strict)
    named = set(_WORDS.findall(slug)) <= _ANY_SYSTEM.union(words)
    return named and (right or "".join(numbers) == "".join(version))


def _cluster(record: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield the cluster of a device that is a member of another; a guest does not know where it runs."""
    found, recorded = facts.get("cluster"), record.get("cluster")
    if not found or record.get("type") != "device" or "cluster" not in record:
        return
    # A name that several clusters have is shown with its site in front.
    ours, theirs = str(recorded or "").lower(), str(found).lower()
    if ours != theirs and not ours.endswith("-" + theirs):
        yield Difference("cluster", recorded, found, writable=False)


def _sizes(record: Mapping[str, Any], facts: Mapping[str, Any]) -> Iterator[Difference]:
    memory, processors, disks = facts.get("memory_mib"), facts.get("processors"), facts.get("disks")
    total = sum(disk["bytes"] for disk in disks or ())
    if record.get("type") == "device":
        fields = record.get("custom_fields") or {}
        yield from _size("memory_mb", fields, memory, sizes.is_memory, sizes.memory_to_record)
        yield from _size("disk_gb", fields, total, sizes.is_disk, sizes.disk_in_gb)
        return
    yield from _size("memory", record, memory, sizes.is_memory, sizes.memory_to_record)
    yield from _size("vcpus", record, processors, sizes.is_number, int)
    for each in _size("disk", record, total, sizes.is_disk, sizes.disk_in_mb):
        # Where NetBox has the machine's virtual disks, it adds them up itself.
        yield replace(each, writable=not record.get("virtual_disks"))


def _size(
    field: str,
    recorded: Mapping[str, Any],
    found: int | None,
    agrees: Callable[[float, int], bool],
    as_recorded: Callable[[int], int],
) -> Iterator[Difference]:
    """Yield a size that is another; `agrees` tells by what is recorded and what the host has."""
    if found and field in recorded:
        ours = sizes.number(recorded[field])
        if ours is None or not agrees(ours, found):
            yield Difference(field, _whole(ours), as_recorded(found), writable=True)


def _whole(value: float | None) -> int | str | None:
    if value is None:
        return None
    return int(value) if value == int(value) else str(value)


def shown(differences: Sequence[Difference]) -> str:
    """Return in one line what differs."""
    fields = ", ".join(each.field for each in differences)
    return "differs from NetBox in {0}".format(fields) if fields else "as NetBox says"
