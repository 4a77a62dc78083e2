"""Expressions about NetBox's objects, as nb_inventory evaluates them, said with our variables."""

from __future__ import annotations

from jinja2 import Environment, TemplateSyntaxError, meta

_PATHS = {
    "name": "inventory_hostname",
    "display": "inventory_hostname",
    "id": "bedplate_netbox.id",
    "url": "bedplate_netbox.url",
    "status.value": "bedplate_status",
    "site.slug": "bedplate_site",
    "location.slug": "bedplate_location",
    "rack.name": "bedplate_rack",
    "position": "bedplate_position",
    "cluster.name": "bedplate_cluster",
    "tenant.slug": "bedplate_tenant",
    "role.slug": "bedplate_role",
    "device_role.slug": "bedplate_role",
    "platform.slug": "bedplate_platform",
    "device_type.model": "bedplate_model",
    "device_type.manufacturer.slug": "bedplate_manufacturer",
    "serial": "bedplate_serial",
    "asset_tag": "bedplate_asset_tag",
    "custom_fields": "bedplate_custom_fields",
    "is_virtual": "(bedplate_netbox.type == 'virtual_machine')",
}
# groups and keyed_groups see the host's variables in front of NetBox's object.
_PATHS_OF_VARIABLES = {
    "cluster": "bedplate_cluster",
    "device_roles.0": "bedplate_role",
    "dns_name": "bedplate_dns_name",
    "manufacturer": "bedplate_manufacturer",
    "manufacturers.0": "bedplate_manufacturer",
    "oob_ip": "bedplate_oob",
    "platform": "bedplate_platform",
    "platforms.0": "bedplate_platform",
    "primary_ip4": "bedplate_primary_ip4",
    "primary_ip6": "bedplate_primary_ip6",
    "rack": "bedplate_rack",
    "racks.0": "bedplate_rack",
    "role": "bedplate_role",
    "site": "bedplate_site",
    "sites.0": "bedplate_site",
    "tags": "bedplate_tags",
    "tenant": "bedplate_tenant",
    "tenants.0": "bedplate_tenant",
}
_METHODS = frozenset({"endswith", "lower", "replace", "rsplit", "split", "startswith", "strip", "title", "upper"})
_KNOWN_NAMES = frozenset({"inventory_hostname", "inventory_hostname_short", "group_names", "ansible_host", "omit"})
_ENVIRONMENT = Environment()  # noqa: S701 (nothing is rendered)


def translated(text: str, *, of_variables: bool = False) -> tuple[str, tuple[str, ...]]:
    """Return an expression with our variables, and the paths in it that nothing stands for.

    Args:
        of_variables: it is of groups or keyed_groups, which see the host's variables too.
    """
    source = f"{{{{ {text} }}}}"
    try:
        tokens = list(_ENVIRONMENT.lex(source))[1:-1]
        free = meta.find_undeclared_variables(_ENVIRONMENT.parse(source))
    except TemplateSyntaxError:
        return text, (text,)
    known = {**_PATHS, **_PATHS_OF_VARIABLES} if of_variables else _PATHS
    parts: list[str] = []
    unknown: dict[str, None] = {}
    place = 0
    while place < len(tokens):
        kind, value = tokens[place][1:]
        after_a_dot = bool(parts) and parts[-1].endswith((".", "|", "is ", "not "))
        if kind != "name" or value not in free or after_a_dot:
            parts.append(value)
            place += 1
            continue
        steps, place = _steps(tokens, place)
        new = _said(steps, known)
        if new is None and steps[0][0] not in _KNOWN_NAMES:
            unknown[".".join(name for name, _ in steps)] = None
        parts.append(new if new is not None else "".join(written for _, written in steps))
    return "".join(parts).strip(), tuple(unknown)


def _steps(tokens: list[tuple[int, str, str]], place: int) -> tuple[list[tuple[str, str]], int]:
    """Return the steps of a path, each with how it is written, and where the path ends."""
    steps = [(tokens[place][2], tokens[place][2])]
    place += 1
    while True:
        following = [(kind, value) for _, kind, value in tokens[place : place + 3]]
        if following[:1] == [("operator", ".")] and len(following) > 1 and following[1][0] in {"name", "integer"}:
            steps.append((following[1][1], f".{following[1][1]}"))
            place += 2
        elif (
            following[:1] == [("operator", "[")]
            and len(following) > 2
            and following[1][0] in {"string", "integer"}
            and following[2] == ("operator", "]")
        ):
            name = following[1][1].strip("'\"")
            steps.append((name, f"[{following[1][1]}]"))
            place += 3
        else:
            return steps, place


def _said(steps: list[tuple[str, str]], known: dict[str, str]) -> str | None:
    """Return a path with our variable for the part of it that we know; None if we do not."""
    names = [name for name, _ in steps]
    for length in range(len(steps), 0, -1):
        path = ".".join(names[:length])
        if path in known:
            rest = steps[length:]
            if rest and path != "custom_fields" and (len(rest) > 1 or rest[0][0] not in _METHODS):
                return None
            return known[path] + "".join(written for _, written in rest)
    return None
