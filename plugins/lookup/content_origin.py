# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""The version and commit of this collection's content."""

from __future__ import annotations

from typing import Any

from ansible.plugins.lookup import LookupBase
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.content import content_commit, content_version

DOCUMENTATION = r"""
name: content_origin
short_description: The version and commit of this collection's content
description:
  - The version of the collection, and the commit where the content is a clone.
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Show where the content comes from
  ansible.builtin.debug:
    msg: "{{ lookup('bedplate.datacenter.content_origin').version }}"
"""

RETURN = r"""
_raw:
  description: C(version), and C(commit) (empty outside of a clone).
  type: list
  elements: dict
"""


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: dict[str, Any] | None = None) -> list[dict[str, str]]:  # noqa: ARG002
        return [{"version": content_version(), "commit": content_commit()}]
