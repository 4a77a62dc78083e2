"""From a file of netbox.netbox's inventory plugin (nb_inventory) to one of ours, and what is lost on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bedplate.errors import UsageError
from bedplate.fleet.migration_expressions import translated

PLUGIN = "bedplate.datacenter.netbox"
NB_PLUGINS = ("netbox.netbox.nb_inventory", "netbox.netbox.netbox", "nb_inventory", "netbox")

_SAME = (
    "api_endpoint", "validate_certs", "ca_path", "timeout", "headers", "query_filters", "device_query_filters",
    "vm_query_filters", "strict", "use_extra_vars", "leading_separator", "interfaces",
)  # fmt: skip
_FLATTENED = ("flatten_config_context", "flatten_custom_fields", "flatten_local_context_data")
_KINDS = {
    "sites": "site", "site": "site", "location": "location", "tenants": "tenant", "tenant": "tenant", "racks": "rack",
    "rack": "rack", "tags": "tag", "tag": "tag", "device_roles": "role", "role": "role", "platforms": "platform",
    "platform": "platform", "region": "region", "cluster": "cluster", "status": "status",
}  # fmt: skip
_KEYED = {
    "manufacturers": ("bedplate_manufacturer", "manufacturers"),
    "manufacturer": ("bedplate_manufacturer", "manufacturer"),
    "services": ("bedplate_services | map(attribute='name') | list", "service"),
}
_NEEDLESS = {
    "cache": "the last good snapshot is always kept; see cache_ttl",
    "cache_plugin": "the last good snapshot is a file; see snapshot_path",
    "cache_connection": "see snapshot_path",
    "cache_prefix": "see snapshot_path",
    "plurals": "groups are named in the singular, and no variable is a list of one",
    "racks": "racks are always known",
    "fetch_all": "what is needed is read as whole lists",
    "max_uri_length": "no request has a long address",
    "follow_redirects": "redirects are not followed: give the address that NetBox answers at",
}
_NOTHING = {
    "cert": "client certificates are not supported",
    "key": "client certificates are not supported",
    "group_names_raw": "groups always have their kind in front",
    "site_data": "of a site its slug is known",
    "prefixes": "prefixes are not read",
    "virtual_disks": "virtual disks are not read",
    "virtual_chassis_name": "each member of a virtual chassis is a host by its own name",
    "hostname_field": "hosts are named as in NetBox",
    "rename_variables": "variables have fixed names; compose can give them others",
}
_TOLD = frozenset({
    *_SAME, *_FLATTENED, "plugin", "token", "config_context", "services", "group_by", "dns_name", "cache_timeout",
    "ansible_host_dns_name", "oob_ip_as_primary_ip", "compose", "groups", "keyed_groups",
})  # fmt: skip


class Fate(StrEnum):
    """What becomes of an option."""

    KEPT = "kept"
    CHANGED = "changed"
    NEEDLESS = "needless"
    LOST = "lost"


# With compat: nb_inventory these mean what they mean there.
_COMPATIBLE = frozenset({
    *_SAME, *_FLATTENED, "config_context", "services", "group_by", "dns_name", "ansible_host_dns_name", "compose",
    "oob_ip_as_primary_ip", "groups", "keyed_groups", "plurals", "racks", "group_names_raw", "site_data", "fetch_all",
    "rename_variables", "virtual_chassis_name", "max_uri_length",
})  # fmt: skip


@dataclass(frozen=True)
class Note:
    """What became of one option, or of one expression in it."""

    option: str
    fate: Fate
    told: str


@dataclass
class Migration:
    """Our settings for what an nb_inventory file asked for, and what became of each option."""

    settings: dict[str, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def note(self, option: str, fate: Fate, told: str) -> None:
        self.notes.append(Note(option, fate, told))


def migrate(given: Mapping[str, Any], where: str) -> Migration:
    """Return the settings that read the same hosts from NetBox, with the groups and variables of ours.

    Raises:
        UsageError: this is no file of nb_inventory.
    """
    _check_plugin(given, where)
    migration = Migration({"plugin": PLUGIN, "statuses": []})
    migration.note("statuses", Fate.CHANGED, "nb_inventory takes hosts of every status, and so does this file")
    for option in _SAME:
        if option in given:
            migration.settings[option] = given[option]
            migration.note(option, Fate.KEPT, "as it was")
    for translate in (_token, _contexts, _addresses, _groups, _expressions, _cache):
        translate(given, migration)
    for option, told in _rest(given):
        fate = Fate.NEEDLESS if option in _NEEDLESS or not given[option] else Fate.LOST
        migration.note(option, fate, told if given[option] or option in _NEEDLESS else "was off")
    return migration


def keep_compatible(given: Mapping[str, Any], where: str) -> Migration:
    """Return the settings that make nb_inventory's own groups and variables (`compat: nb_inventory`).

    Raises:
        UsageError: this is no file of nb_inventory.
    """
    _check_plugin(given, where)
    migration = Migration({"plugin": PLUGIN, "compat": "nb_inventory"})
    for option, value in given.items():
        if option in _COMPATIBLE:
            migration.settings[option] = value
            migration.note(option, Fate.KEPT, "as it was")
        elif option in _NEEDLESS or (option in _NOTHING and not value):
            migration.note(option, Fate.NEEDLESS, _NEEDLESS.get(option) or "was off")
        elif option not in ("plugin", "token", "cache_timeout"):
            migration.note(option, Fate.LOST, _NOTHING.get(option) or "is no option that is known")
    _token(given, migration)
    _cache(given, migration)
    return migration


def _check_plugin(given: Mapping[str, Any], where: str) -> None:
    if given.get("plugin") not in NB_PLUGINS:
        raise UsageError(
            f"is for the plugin {given.get('plugin')!r}, not for nb_inventory", where=where, hint=f"{NB_PLUGINS[0]} is"
        )


def _token(given: Mapping[str, Any], migration: Migration) -> None:
    token = given.get("token")
    if isinstance(token, Mapping):
        migration.settings["headers"] = {
            **(given.get("headers") or {}), "Authorization": f"{token.get('type')} {token.get('value')}"
        }  # fmt: skip
        migration.note("token", Fate.CHANGED, "a type of one's own is sent as a header")
    elif token:
        migration.settings["token"] = token
        migration.note("token", Fate.KEPT, "as it was; better is token_file, or NETBOX_TOKEN in the environment")


def _contexts(given: Mapping[str, Any], migration: Migration) -> None:
    """Config context and services: what is off by default there is on here, and the other way round."""
    context = bool(given.get("config_context", False))
    migration.settings["config_context"] = context
    flat = bool(given.get("flatten_config_context", False))
    if context and not flat:
        told = "its keys are variables of their own, not entries of config_context"
        migration.note("config_context", Fate.CHANGED, told)
    elif "config_context" in given:
        migration.note("config_context", Fate.KEPT, "as it was")
    if "flatten_config_context" in given:
        migration.note("flatten_config_context", Fate.NEEDLESS, "keys of the config context always are variables")
    if given.get("flatten_custom_fields"):
        migration.note("flatten_custom_fields", Fate.LOST, "custom fields are in bedplate_custom_fields; compose can"
                       " give single ones names of their own")  # fmt: skip
    if given.get("flatten_local_context_data"):
        migration.note("flatten_local_context_data", Fate.NEEDLESS, "it is part of the rendered config context")
    migration.settings["services"] = bool(given.get("services", True))


def _addresses(given: Mapping[str, Any], migration: Migration) -> None:
    sources = ["primary"]
    if given.get("ansible_host_dns_name"):
        sources.insert(0, "dns_name")
        migration.note("ansible_host_dns_name", Fate.CHANGED, "ansible_host_from says dns_name first")
    if given.get("oob_ip_as_primary_ip"):
        sources.insert(0, "oob")
        migration.note("oob_ip_as_primary_ip", Fate.CHANGED, "ansible_host_from says oob first")
    if given.get("dns_name"):
        migration.note("dns_name", Fate.CHANGED, "the variable is bedplate_dns_name, and always there")
    if sources != ["primary"]:
        migration.settings["ansible_host_from"] = sources


def _groups(given: Mapping[str, Any], migration: Migration) -> None:
    kinds, keyed, groups = [], [], {}
    for option in given.get("group_by") or []:
        where = f"group_by: {option}"
        if option in _KINDS:
            kinds.append(_KINDS[option])
            same = option == _KINDS[option]
            told = "as it was" if same else f"groups are {_KINDS[option]}_…, not {option}_…"
            migration.note(where, Fate.KEPT if same else Fate.CHANGED, told)
        elif option in _KEYED:
            key, prefix = _KEYED[option]
            keyed.append({"key": key, "prefix": prefix})
            migration.note(where, Fate.CHANGED, "an entry of keyed_groups makes the same groups")
        elif option == "is_virtual":
            groups["is_virtual"] = "bedplate_netbox.type == 'virtual_machine'"
            migration.note(where, Fate.CHANGED, "an entry of groups makes the same group")
        else:
            migration.note(where, Fate.LOST, "there are no such groups, and the host's variables do not say it")
    migration.settings["group_by"] = list(dict.fromkeys(kinds))
    if keyed:
        migration.settings["keyed_groups"] = keyed
    if groups:
        migration.settings["groups"] = groups


def _expressions(given: Mapping[str, Any], migration: Migration) -> None:
    """compose, groups and keyed_groups speak of NetBox's objects there, of our variables here."""
    for option in ("compose", "groups"):
        for name, text in (given.get(option) or {}).items():
            new = _expression(f"{option}: {name}", text, migration)
            migration.settings.setdefault(option, {})[name] = new
    for number, entry in enumerate(given.get("keyed_groups") or [], start=1):
        if isinstance(entry, Mapping):
            key = _expression(f"keyed_groups: {number}", entry.get("key"), migration)
            migration.settings.setdefault("keyed_groups", []).append({**entry, "key": key})


def _expression(where: str, text: Any, migration: Migration) -> Any:  # noqa: ANN401
    of_variables = not where.startswith("compose")
    new, unknown = translated(text, of_variables=of_variables) if isinstance(text, str) else (text, ())
    if unknown:
        migration.note(where, Fate.LOST, f"{', '.join(unknown)}: no variable says that; write it anew")
    elif new == text:
        migration.note(where, Fate.KEPT, "as it was")
    else:
        migration.note(where, Fate.CHANGED, f"reads {new}")
    return new


def _cache(given: Mapping[str, Any], migration: Migration) -> None:
    if given.get("cache") and given.get("cache_timeout"):
        migration.settings["cache_ttl"] = given["cache_timeout"]
        migration.note("cache_timeout", Fate.CHANGED, "is cache_ttl")


def _rest(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for option in given:
        if option not in _TOLD:
            yield option, _NEEDLESS.get(option) or _NOTHING.get(option) or "is no option that is known"
