# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: Say whether a role is for a host, before anything of the host is touched
description:
  - The first task of a role. It looks at variables and facts on the control node, and connects to the host only where
    facts are missing.
  - It refuses a platform that the role does not support, and settings that are none, each with one sentence.
  - Where the role is switched off, or does not apply to the host, it says so and succeeds.
options:
  checks:
    description:
      - The name of a variable of the role. It is a dictionary whose values are looked at one after another, so that
        each may use what those before it ask for.
      - C(enabled) says whether the role is switched on. No facts are needed for that.
      - C(facts) are facts that the role needs besides those that name the platform.
      - C(platforms) are those that the role supports, such as C(Debian 12).
      - C(refusals) each have C(that), one condition or several, and C(says), a sentence for when it does not hold. The
        facts, and the variables of the family in C(vars/FAMILY.yml), are known by then.
      - C(applies) says whether the role applies to this host.
      - C(otherwise) is what is said where the role is off or does not apply.
      - C(notes) are sentences that are said where the role goes on. Empty ones are not.
    type: str
    required: true
attributes:
  action:
    description: Indicates this has a corresponding action plugin.
    support: full
  check_mode:
    description: Can run in check mode and tells the same as without.
    support: full
  diff_mode:
    description: There is nothing to show in diff mode.
    support: none
author: The Bedplate developers
"""

EXAMPLES = r"""
# In vars/main.yml:
#   _clock_preflight:
#     enabled: "{{ clock_enabled }}"
#     otherwise: "{{ inventory_hostname }}: the role clock is off (clock_enabled)"
#     platforms: [Debian 12, Debian 13]
#     refusals:
#       - that: clock_servers | length > 0
#         says: "{{ inventory_hostname }}: clock_servers is empty; name at least one"
- name: Refuse what the role is not for
  bedplate.datacenter.preflight:
    checks: _clock_preflight
"""

RETURN = r"""
applies:
  description: Whether the role goes on.
  returned: success
  type: bool
msg:
  description: Why the role does nothing on the host, or what is worth knowing of what it does.
  returned: when there is something to say
  type: str
"""
