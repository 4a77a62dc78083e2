# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""What a host says of itself that NetBox has a field for."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bedplate.datacenter.plugins.module_utils.record_facts import facts

DOCUMENTATION = r"""
module: record_facts
short_description: What a host says of itself that NetBox has a field for
description:
  - Reads serial number, model, memory, processors, disks, release, interfaces with their addresses, and the cluster, in
    one round trip. It changes nothing.
  - Serial numbers are for root only. Without its rights they are not known.
attributes:
  check_mode:
    support: full
    details: It only reads.
author: The Bedplate developers
"""

EXAMPLES = r"""
- name: Take down what the host is
  bedplate.datacenter.record_facts:
  become: true
  register: said
"""

RETURN = r"""
record:
  description:
    - C(container), C(manufacturer), C(model), C(model_version), C(serial), C(memory_mib), C(processors), C(disks),
      C(system), C(cluster), and C(interfaces). What is not known is null.
    - A container has no hardware of its own, and null for all of that.
  returned: always
  type: dict
"""


def main() -> None:
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    module.exit_json(changed=False, record=facts())


if __name__ == "__main__":
    main()
