# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Packages that are not to be there. All of it is in the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: packages_absent
short_description:
  - Those that are there are removed by M(ansible.builtin.apt), in one transaction. Their configuration stays.
  - Where none of them is, the host is not asked, and all of them are known to belong to the task all the same.
options:
  name:
    description: Names of packages, as dpkg has them.
    type: list
    elements: str
    required: true
  installed:
    description: What is installed on the host, as dpkg says.
    type: list
    elements: str
    required: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Have no telnet server
  bedplate.datacenter.packages_absent:
    name: [telnetd]
    installed: "{{ ansible_facts.packages }}"
"""

RETURN = r"""
found:
  description: The packages that were there.
  returned: success
  type: list
  elements: str
"""
