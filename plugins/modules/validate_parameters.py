# Copyright: (c) 2026, The Bedplate developers
# Apache-2.0 (see LICENSE)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: validate_parameters
short_description: Check the parameters of a product before any host is touched
version_added: "0.1.0"
description:
  - Reads the manifest of a product from C(playbooks/products) of this collection and checks the variables that are
    named like its parameters, by the same rules as the C(bedplate) command.
  - Runs on the control node only and needs no connection and no facts.
  - It is the first task of the playbook of every product, so that a product means the same from the C(bedplate)
    command, from AWX and from C(ansible-playbook).
  - Where a parameter takes its answers from a command (C(choices_command)), that is run on the control node, without a
    shell, if the parameter is given.
  - Refuses more hosts than C(targets.max_hosts) of the manifest, whoever started the play.
  - Extra variables are data. A parameter that is given as an extra variable and would be evaluated as a template is
    refused.
options:
  product:
    description:
      - Name of the product, which is the name of its manifest without C(.yml).
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
extends_documentation_fragment: []
author:
  - The Bedplate developers (@bedplate)
notes:
  - Values that were given as text, as with C(-e count=3), stay as they are under their own name. The fact
    C(bedplate_parameters) has them in the type of the parameter.
"""

EXAMPLES = r"""
- name: Check the parameters
  hosts: all
  gather_facts: false
  tasks:
    - name: Check the parameters
      bedplate.datacenter.validate_parameters:
        product: ping
      run_once: true

- name: Use them
  hosts: all
  gather_facts: false
  tasks:
    - name: Connect
      ansible.builtin.ping:
      become: "{{ ansible_facts['bedplate_parameters']['ping_become'] }}"
"""

RETURN = r"""
ansible_facts:
  description: Facts for all hosts of the play.
  returned: success
  type: dict
  contains:
    bedplate_parameters:
      description:
        - The values in the type of each parameter, with the defaults of those that were not given.
        - Durations and dates are canonical text. Secret parameters are left out.
      returned: success
      type: dict
      sample:
        ping_become: true
    bedplate_limits:
      description:
        - What the manifest limits and a play itself keeps to. C(canary), C(serial_by), C(max_fail_percent) and
          C(max_hosts), those that the manifest has.
      returned: success
      type: dict
      sample:
        canary: 1
        serial_by: site
"""
