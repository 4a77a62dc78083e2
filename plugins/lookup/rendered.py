# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""A template of a role as text."""

from __future__ import annotations

from typing import Any

from ansible.plugins.loader import lookup_loader
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = r"""
name: rendered
short_description: A template of a role as text
description:
  - Does what the lookup P(ansible.builtin.template#lookup) does, with its options, in a tenth of the time.
  - That one copies all variables of the host, with all that is in them, for each template. This one lets it copy only
    which variables there are. A template cannot change them anyhow.
options:
  _terms:
    description: Names of templates.
    type: list
    elements: str
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Write a file of a role
  bedplate.datacenter.host_files:
    files:
      - path: /etc/example.conf
        content: "{{ lookup('bedplate.datacenter.rendered', 'example.conf.j2') }}"
"""

RETURN = r"""
_raw:
  description: The text of each template.
  type: list
  elements: str
"""


class _Variables(dict[str, Any]):
    """Variables of which a deep copy is a shallow one."""

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return dict(self)


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **options: object) -> list[str]:
        builtin = lookup_loader.get("ansible.builtin.template", loader=self._loader, templar=self._templar)
        texts: list[str] = builtin.run(terms, variables=_Variables(variables or {}), **options)
        return texts
