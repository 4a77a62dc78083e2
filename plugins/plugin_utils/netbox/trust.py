"""NetBox data is data: no string from it is ever a template.

Since ansible-core 2.19 only what is marked as trusted is a template, so data needs no mark. Before, each string is
a template unless it is marked as unsafe. Host names bear no mark: those that look like templates are refused.
"""

from __future__ import annotations

import marshal
from typing import Any, Dict, Iterable

from ansible.release import __version__ as core_version
from ansible.utils.unsafe_proxy import AnsibleUnsafe, AnsibleUnsafeText

try:
    from ansible.template import is_trusted_as_template
except ImportError:  # before 2.19
    is_trusted_as_template = None

_PLAIN_MARSHAL = 2  # without references: equal values give equal bytes

Json = Any  # what a JSON document holds

TEMPLATES_ARE_MARKED = tuple(int(part) for part in core_version.split(".")[:2]) >= (2, 19)


class SharedValues:
    """Lists and dictionaries that many hosts have alike, kept once, and marked once where marks are needed."""

    def __init__(self) -> None:
        self._known: Dict[bytes, Json] = {}

    def of(self, variables: Dict[str, Any]) -> Dict[str, Any]:
        """Return variables whose values no version of Ansible takes for templates."""
        return {key: self._one(value) for key, value in variables.items()}

    def _one(self, value: Json) -> Json:
        if value.__class__ is not dict and value.__class__ is not list:
            return value if TEMPLATES_ARE_MARKED else _unsafe(value)
        mark = marshal.dumps(value, _PLAIN_MARSHAL)
        known = self._known.get(mark)
        if known is None:
            known = self._known[mark] = value if TEMPLATES_ARE_MARKED else _unsafe(value)
        return known


def untrusted_variables(variables: Dict[str, Any]) -> Dict[str, Any]:
    """Return variables whose values no version of Ansible takes for templates."""
    if TEMPLATES_ARE_MARKED:
        return variables
    return {key: _unsafe(value) for key, value in variables.items()}


def may_be_template(text: str) -> bool:
    """Return whether Ansible could take a text for a template."""
    if text.__class__ is str and TEMPLATES_ARE_MARKED:
        return False
    if not ("{" in text or text.startswith("#")):
        return False
    return bool(is_trusted_as_template(text)) if TEMPLATES_ARE_MARKED else not isinstance(text, AnsibleUnsafe)


def is_marked_unsafe(value: Json) -> bool:
    """Return whether a text in a value is marked as unsafe; not since ansible-core 2.19, where data needs no mark."""
    if TEMPLATES_ARE_MARKED:
        return False
    if isinstance(value, (dict, list)):
        entries: Iterable[Json] = value.values() if isinstance(value, dict) else value
        return any(map(is_marked_unsafe, entries))  # as Ansible looks: not at keys
    return isinstance(value, AnsibleUnsafe)


def as_templated(result: Json, is_unsafe: bool) -> Json:
    """Return the result of an expression as Ansible's templating returns it.

    Raises:
        ValueError: before ansible-core 2.19 a result becomes text, and some texts become data again; that is not done.
    """
    if TEMPLATES_ARE_MARKED:
        return result
    if not isinstance(result, str) or result.startswith(("{", "[")) or result in ("True", "False"):
        raise ValueError("only Ansible can tell what becomes of %r" % result)
    return AnsibleUnsafeText(result) if is_unsafe else result


def _unsafe(value: Json) -> Json:
    if isinstance(value, str):
        return AnsibleUnsafeText(value)
    if isinstance(value, dict):
        return {_unsafe(key): _unsafe(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_unsafe(entry) for entry in value]
    return value
