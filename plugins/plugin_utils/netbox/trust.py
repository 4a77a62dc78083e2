"""NetBox data is data: no string from it is ever a template.

Since ansible-core 2.19 only what is marked as trusted is a template, so data needs no mark. Before, each string is
a template unless it is marked as unsafe. Host names bear no mark: those that look like templates are refused.
"""

from __future__ import annotations

from typing import Any, Dict

from ansible.release import __version__ as core_version
from ansible.utils.unsafe_proxy import AnsibleUnsafeText

Json = Any  # what a JSON document holds

_TEMPLATES_ARE_MARKED = tuple(int(part) for part in core_version.split(".")[:2]) >= (2, 19)


def untrusted_variables(variables: Dict[str, Any]) -> Dict[str, Any]:
    """Return variables whose values no version of Ansible takes for templates."""
    if _TEMPLATES_ARE_MARKED:
        return variables
    return {key: _unsafe(value) for key, value in variables.items()}


def _unsafe(value: Json) -> Json:
    if isinstance(value, str):
        return AnsibleUnsafeText(value)
    if isinstance(value, dict):
        return {_unsafe(key): _unsafe(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_unsafe(entry) for entry in value]
    return value
