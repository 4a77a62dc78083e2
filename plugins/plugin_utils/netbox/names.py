"""Names: of groups, hosts, variables and addresses, and which of them Ansible cannot take."""

from __future__ import annotations

import keyword
import re
import unicodedata
from functools import lru_cache
from typing import Optional

ALLOWED_ANSIBLE_KEYS = ("ansible_host", "ansible_port", "ansible_python_interpreter")

_NOT_IN_A_GROUP_NAME = re.compile(r"\W")
_PLAIN_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")
_ADDRESS = re.compile(r"[A-Za-z0-9_.:%-]+\Z")
_INTERPRETER = re.compile(r"(auto|auto_legacy|auto_silent|auto_legacy_silent|/[A-Za-z0-9_./+-]+)\Z")
_RESERVED_HOSTS = frozenset(("all", "ungrouped", "localhost", "127.0.0.1", "::1"))
_PATTERN_MARKS = frozenset(",[]*?/\\")
_TEMPLATE_MARKS = ("{{", "{%", "{#")
_RESERVED_WORDS = frozenset(("True", "False", "None", "true", "false", "none", "null"))


@lru_cache(maxsize=65536)
def group_name(kind: str, slug: str) -> str:
    """Return the group of a slug: kind, underscore, slug, with `_` for all but letters, digits and `_`."""
    return "%s_%s" % (kind, _NOT_IN_A_GROUP_NAME.sub("_", unicodedata.normalize("NFC", slug)))


def host_name_fault(name: str) -> Optional[str]:
    """Return why Ansible cannot take this name for a host, or None if it can."""
    if _PLAIN_HOST.match(name) and name.lower() not in _RESERVED_HOSTS:
        return None
    marks = sorted(_PATTERN_MARKS.intersection(name))
    faults = (
        (not name.strip(), "it is empty"),
        (name != name.strip(), "there are spaces around it"),
        (not name.isprintable(), "it has characters that cannot be printed"),
        (name[:1] in tuple("-!&@~"), "its first character means something else to ssh or in a host pattern"),
        (name.lower() in _RESERVED_HOSTS, "Ansible keeps this name for itself"),
        (any(mark in name for mark in _TEMPLATE_MARKS), "it looks like a template"),
        (bool(marks), "%s would be read as part of a host pattern or a path" % " ".join(marks)),
    )
    return next((fault for applies, fault in faults if applies), None)


def is_variable_name(name: str) -> bool:
    """Return whether Ansible takes this as the name of a variable."""
    if not name.isascii() or not name.isidentifier():
        return False
    return not keyword.iskeyword(name) and name not in _RESERVED_WORDS


def is_address(value: object) -> bool:
    """Return whether this can only be a host name or an IP address, and nothing that ssh takes for an option."""
    return isinstance(value, str) and bool(_ADDRESS.match(value)) and not value.startswith("-")


def is_allowed_connection_value(key: str, value: object) -> bool:
    """Return whether a value from NetBox is safe for one of the few `ansible_*` variables that it may set."""
    if key == "ansible_host":
        return is_address(value)
    if key == "ansible_port":
        return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536
    return isinstance(value, str) and bool(_INTERPRETER.match(value))
