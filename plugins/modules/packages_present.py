# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Packages that are to be there: asked of dpkg, which takes no time, before apt has to work."""

from __future__ import annotations

import re

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: packages_present
short_description: Packages that are to be there
description:
  - Asks dpkg which of the packages are installed. Where all of them are, that was all, and apt with its lists is not
    loaded.
  - What the role packages saw on the host earlier in the same run is not asked again.
  - Those that are missing are installed by M(ansible.builtin.apt), in one transaction and without what they recommend.
    The index of packages is renewed before that if it is older than a day.
  - Holds and pins count as they do for apt.
options:
  name:
    description: Names of packages, as dpkg has them. One that an installed package only provides is left to apt.
    type: list
    elements: str
    required: true
  start:
    description: Whether packages may start their services while they are installed.
    type: bool
    default: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Install chrony
  bedplate.datacenter.packages_present:
    name: [chrony]
"""

RETURN = r"""
missing:
  description: The packages that were not there.
  returned: always
  type: list
  elements: str
"""

# What dpkg-query prints for `ii  name` and for a package that is held.
_INSTALLED = re.compile(r"^(\S+) (\S+) installed$", re.MULTILINE)


def installed(printed: str) -> set[str]:
    """Return the names in what dpkg-query printed, with their architecture and without."""
    names = set()
    for name, architecture in _INSTALLED.findall(printed):
        names |= {name, "{0}:{1}".format(name, architecture)}
    return names


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "list", "elements": "str", "required": True},
            "start": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    wanted = module.params["name"]
    form = r"${Package} ${Architecture} ${db:Status-Status}\n"
    # It ends with 1 when one of the names is not known to it.
    _, out, _ = module.run_command(["dpkg-query", "--show", "--showformat", form, *wanted] if wanted else ["true"])
    there = installed(out)
    module.exit_json(changed=False, missing=[name for name in wanted if name not in there])


if __name__ == "__main__":
    main()
