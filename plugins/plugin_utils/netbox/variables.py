"""Which variables a host has: `bedplate_*` for what NetBox knows, the keys of its config context, `ansible_host`."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence

from .faults import Notices
from .groups import CONTEXT_ONLY, failure_domain
from .names import ALLOWED_ANSIBLE_KEYS, is_address, is_allowed_connection_value, is_variable_name

Record = Mapping[str, Any]

ADDRESS_SOURCES = {
    "primary": ("primary_ip4", "primary_ip6"),
    "primary_ip4": ("primary_ip4",),
    "primary_ip6": ("primary_ip6",),
    "dns_name": ("dns_name",),
    "oob": ("oob_ip",),
}
_COPIED = (
    "class",
    "site",
    "location",
    "rack",
    "position",
    "cluster",
    "role",
    "platform",
    "tenant",
    "status",
    "manufacturer",
    "model",
    "serial",
    "asset_tag",
    "primary_ip4",
    "primary_ip6",
    "dns_name",
    "tags",
    "services",
    "interfaces",
)
_COPIED_AS = tuple((key, "bedplate_%s" % key) for key in _COPIED)


def host_variables(name: str, record: Record, address_from: Sequence[str], notices: Notices) -> Dict[str, Any]:
    """Return the variables of one host, and note what of its data was not taken.

    Args:
        name: the host's name in the inventory.
        record: what the snapshot says about it. A record for context only has its identity, nothing to configure.
        address_from: where `ansible_host` comes from; the first of these that is there wins.
        notices: takes what was wrong with the host's data.
    """
    whole = not record.get(CONTEXT_ONLY)
    variables: Dict[str, Any] = {}
    if whole:
        _add_config_context(variables, name, record["config_context"], notices)
    for key, variable in _COPIED_AS:
        variables[variable] = record[key]
    variables["bedplate_region"] = record["region"][-1] if record["region"] else None
    variables["bedplate_failure_domain"] = failure_domain(record)
    variables["bedplate_oob"] = record["oob_ip"]
    variables["bedplate_netbox"] = {"type": record["type"], "id": record["id"], "url": record["url"]}
    variables["bedplate_custom_fields"] = _custom_fields(variables, name, record, notices) if whole else {}
    if "ansible_host" not in variables:
        address = address_of(record, address_from)
        if address is not None:
            variables["ansible_host"] = address
    return variables


def address_of(record: Record, address_from: Sequence[str]) -> Optional[str]:
    """Return the first address that the record has of the sources in this order, or None."""
    for source in address_from:
        for key in ADDRESS_SOURCES[source]:
            if record[key] and is_address(record[key]):
                return str(record[key])
    return None


def _add_config_context(variables: Dict[str, Any], name: str, context: object, notices: Notices) -> None:
    if not isinstance(context, dict):
        notices.add("config context is %s, not a dictionary, and was left out" % _kind_of(context), name)
        return
    for key, value in context.items():
        fault = _fault_of_key(key, value)
        if fault is None:
            variables[key] = value
        else:
            notices.add("key %r of the config context was refused, because %s" % (key, fault), name)


def _fault_of_key(key: str, value: object) -> Optional[str]:
    if key.startswith("ansible_"):
        return _fault_of_connection_key(key, value)
    if key.startswith("bedplate_"):
        return "bedplate_ variables say what NetBox knows"
    if not is_variable_name(key):
        return "it cannot be the name of a variable"
    return None


def _fault_of_connection_key(key: str, value: object) -> Optional[str]:
    if key not in ALLOWED_ANSIBLE_KEYS:
        return "NetBox may only set %s" % ", ".join(ALLOWED_ANSIBLE_KEYS)
    if not is_allowed_connection_value(key, value):
        return "its value is not one that is safe for %s" % key
    return None


def _custom_fields(variables: Dict[str, Any], name: str, record: Record, notices: Notices) -> Dict[str, Any]:
    """Return the custom fields without those that would steer Ansible; the few that may do so become variables."""
    fields: Dict[str, Any] = record["custom_fields"]
    if not any(key.startswith("ansible_") for key in fields):
        return fields
    kept: Dict[str, Any] = {}
    for key, value in fields.items():
        if not key.startswith("ansible_"):
            kept[key] = value
        elif value not in (None, ""):
            fault = _fault_of_connection_key(key, value)
            if fault is None:
                variables[key] = value
            else:
                notices.add("custom field %r was refused, because %s" % (key, fault), name)
    return kept


def _kind_of(value: object) -> str:
    names: List[Any] = [(list, "a list"), (str, "a text"), (bool, "a boolean"), ((int, float), "a number")]
    for kind, name in names:
        if isinstance(value, kind):
            return str(name)
    return "nothing" if value is None else type(value).__name__
