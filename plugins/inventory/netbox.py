# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Hosts from NetBox, or from a snapshot of it."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: netbox
short_description: Hosts from NetBox or from a snapshot of it
author: The Bedplate developers
description:
  - Devices and virtual machines of NetBox as hosts.
options:
  plugin:
    description: The name of this plugin.
    required: true
    choices: [bedplate.datacenter.netbox]
  snapshot:
    description: A snapshot file.
    type: str
"""

import os

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Constructable

from ansible_collections.bedplate.datacenter.plugins.plugin_utils.netbox.faults import InventoryFault, Notices
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.netbox.populate import populate, usable_hosts
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.netbox.snapshot import read_snapshot


class InventoryModule(BaseInventoryPlugin, Constructable):
    """Hosts from NetBox, or from a snapshot of it."""

    NAME = "bedplate.datacenter.netbox"

    def verify_file(self, path):
        return super().verify_file(path) and path.endswith(("netbox.yml", "netbox.yaml"))

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        notices = Notices()
        try:
            snapshot = read_snapshot(os.path.join(os.path.dirname(path), self.get_option("snapshot")))
            hosts = usable_hosts(snapshot.hosts, ["active", "staged"], notices)
            populate(inventory, hosts, ["primary"], notices)
        except InventoryFault as fault:
            raise AnsibleParserError(str(fault)) from fault
        for sentence in notices.sentences():
            self.display.warning(sentence)
