"""One host as NetBox describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from bedplate.errors import InventoryError

_TYPES = ("device", "virtual_machine")
_LISTS = frozenset({"region", "site_group", "tags", "services"})
_MAPPINGS = frozenset({"custom_fields", "config_context"})
_NUMBERS = frozenset({"id", "position"})
_ANY = frozenset({"interfaces", "context_only"})


class HostClass(StrEnum):
    """What kind of machine a host is."""

    BARE_METAL = "bare_metal"
    COLO = "colo"
    CLOUD = "cloud"


@dataclass(frozen=True, order=True)
class FailureDomain:
    """What fails together: region > site > rack or cluster, each empty where it is not known."""

    region: tuple[str, ...] = ()
    site: str = ""
    rack: str = ""
    cluster: str = ""

    @property
    def path(self) -> str:
        """The domain from the outside in, such as `emea/fra1/fra1-r01`."""
        return "/".join(part for part in (*self.region, self.site, self.rack, self.cluster) if part)

    def contains(self, other: FailureDomain) -> bool:
        """Return whether all that is in `other` fails when this domain fails."""
        if self.region != other.region[: len(self.region)]:
            return False
        return all(
            not own or own == theirs
            for own, theirs in ((self.site, other.site), (self.rack, other.rack), (self.cluster, other.cluster))
        )


@dataclass(frozen=True)
class HostRecord:
    """What a snapshot says about one host.

    Attributes:
        type: `device` or `virtual_machine`.
        host_class: what the setting for classes made of it, as it was written; see `known_class`.
        region, site_group: slugs from the top down to the site's own.
        position: rack unit.
        primary_ip4, primary_ip6: addresses without prefix length.
        interfaces: None if they were not asked for.
        context_only: this host is here to be known, not to be acted on.
        other: keys that this version does not know, kept as they are.
    """

    name: str
    type: str
    id: int | None = None
    url: str | None = None
    status: str | None = None
    host_class: str | None = None
    region: tuple[str, ...] = ()
    site_group: tuple[str, ...] = ()
    site: str | None = None
    location: str | None = None
    rack: str | None = None
    position: float | None = None
    cluster: str | None = None
    tenant: str | None = None
    role: str | None = None
    platform: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    asset_tag: str | None = None
    primary_ip4: str | None = None
    primary_ip6: str | None = None
    oob_ip: str | None = None
    dns_name: str | None = None
    tags: tuple[str, ...] = ()
    custom_fields: Mapping[str, Any] = field(default_factory=dict)
    config_context: Mapping[str, Any] = field(default_factory=dict)
    services: tuple[Mapping[str, Any], ...] = ()
    interfaces: tuple[Mapping[str, Any], ...] | None = None
    last_updated: str | None = None
    context_only: bool = False
    other: Mapping[str, Any] = field(default_factory=dict)

    @property
    def known_class(self) -> HostClass | None:
        """The class, or None where the record has none or one that Bedplate does not know."""
        return next((one for one in HostClass if one.value == self.host_class), None)

    @property
    def failure_domain(self) -> FailureDomain:
        return FailureDomain(self.region, self.site or "", self.rack or "", self.cluster or "")

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses at which the host itself answers (not its OOB controller)."""
        return tuple(address for address in (self.primary_ip4, self.primary_ip6) if address)

    @property
    def owner(self) -> str | None:
        """Whose host it is: the custom field `owner`, or else the tenant."""
        owner = self.custom_fields.get("owner")
        if isinstance(owner, Mapping):
            owner = owner.get("name") or owner.get("label") or owner.get("value")
        return owner if isinstance(owner, str) and owner else self.tenant

    @classmethod
    def from_document(cls, name: str, data: object) -> HostRecord:
        """Return the record that `data` holds.

        Raises:
            InventoryError: it is no record; names the host and the key.
        """
        if not isinstance(data, dict):
            raise InventoryError(f"must be a record, not {_kind(data)}", where=name)
        values: dict[str, Any] = {}
        other: dict[str, Any] = {}
        for key, value in data.items():
            attribute = _ATTRIBUTES.get(key)
            if attribute is None:
                other[key] = value
            elif value is not None:
                values[attribute] = _checked(value, key, name)
        values["name"] = name
        if values.get("type") not in _TYPES:
            raise InventoryError(f"must be device or virtual_machine, not {data.get('type')!r}", where=f"{name}: type")
        return cls(**values, other=other)

    def to_document(self) -> dict[str, Any]:
        """Return the record as it stands in a snapshot document."""
        document = {key: _plain(getattr(self, attribute)) for key, attribute in _ATTRIBUTES.items()}
        if not self.context_only:
            del document["context_only"]
        return {**document, **self.other}


_ATTRIBUTES = {("class" if f.name == "host_class" else f.name): f.name for f in fields(HostRecord) if f.name != "other"}


def _checked(value: Any, key: str, host: str) -> Any:  # noqa: ANN401
    if key in _LISTS or (key == "interfaces" and isinstance(value, list)):
        wanted: tuple[type, ...] = (list,)
    elif key in _MAPPINGS:
        wanted = (dict,)
    elif key in _NUMBERS:
        wanted = (int, float)
    else:
        wanted = (object,) if key in _ANY else (str,)
    if not isinstance(value, wanted):
        raise InventoryError(f"must be {_name(wanted[0])}, not {_kind(value)}", where=f"{host}: {key}")
    return tuple(value) if isinstance(value, list) else value


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def _name(wanted: type) -> str:
    return {list: "a list", dict: "a mapping", int: "a number", str: "text"}[wanted]


def _kind(value: object) -> str:
    return next((_name(kind) for kind in (list, dict, int, str) if isinstance(value, kind)), type(value).__name__)
