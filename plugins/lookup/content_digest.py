# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""The digest of this collection's content."""

from __future__ import annotations

from typing import Any

from ansible.plugins.lookup import LookupBase
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.content import content_digest

DOCUMENTATION = r"""
name: content_digest
short_description: The digest of this collection's content
description:
  - One SHA-256 over the playbooks, plugins and roles of the collection,
    the same in a clone, a wheel and a built collection.
  - It is what C(find playbooks plugins roles -type f | LC_ALL=C sort | xargs sha256sum | sha256sum) prints,
    without hidden files, compiled Python and what editors leave behind.
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Show which content this is
  ansible.builtin.debug:
    msg: "{{ lookup('bedplate.datacenter.content_digest') }}"
"""

RETURN = r"""
_raw:
  description: The digest, 64 hexadecimal digits.
  type: list
  elements: str
"""


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: dict[str, Any] | None = None) -> list[str]:  # noqa: ARG002
        return [content_digest()]
