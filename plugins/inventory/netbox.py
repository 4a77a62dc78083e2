# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Hosts from NetBox, or from a snapshot of it."""

from __future__ import absolute_import, annotations, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: netbox
short_description: Hosts from NetBox or from a snapshot of it
version_added: 0.1.0
author:
  - The Bedplate developers
description:
  - Devices and virtual machines of NetBox (4.2 and newer) become hosts. Either a snapshot file is read, or NetBox
    itself, by GraphQL or REST (see O(transport)).
  - The inventory file must be named C(netbox.yml) or C(netbox.yaml), or end so, such as C(emea.netbox.yml).
  - An answer that is not complete and well-formed is an error, never a small or empty inventory. What NetBox counts is
    compared with what came, filters that NetBox would silently ignore are refused, and a fleet that shrank by more
    than O(shrink_limit) is refused.
  - What was read last and well is kept as a snapshot (0600, without the token). See O(snapshot_path), O(cache_ttl) and
    O(stale_if_error).
  - "Variables: what NetBox knows is in C(bedplate_*): C(class), C(region), C(site), C(location), C(rack), C(position),
    C(cluster), C(failure_domain), C(role), C(platform), C(tenant), C(status), C(manufacturer), C(model), C(serial),
    C(asset_tag), C(primary_ip4), C(primary_ip6), C(oob), C(dns_name), C(tags), C(custom_fields), C(services),
    C(interfaces), C(netbox) (type, id, url). C(bedplate_region) is the site's own region.
    C(bedplate_failure_domain) lists the groups whose hosts can fail together with this one, from the regions to the
    rack or cluster. The keys of the rendered config context are variables of their own."
  - "Groups: C(class_), C(region_), C(site_), C(location_), C(rack_), C(cluster_), C(role_), C(platform_), C(tenant_),
    C(status_) and C(tag_), each with the slug (racks and clusters have a name) in which all but letters, digits and
    C(_) is turned into C(_). A region contains its child regions and its sites; a site contains its locations and
    racks. The names of racks and locations get their site in front unless they begin with it. Two slugs that would
    have the same group are an error that names both."
  - NetBox data is data. No text from it is ever a template. Of C(ansible_*) names, config context and custom fields may
    only set C(ansible_host), C(ansible_port) and C(ansible_python_interpreter), with values that are safe for them;
    others are left out, with a warning. C(bedplate_*) keys and keys that cannot name a variable are left out too.
  - "Names: the oldest object of a name keeps it. Another one of the same name is called C(name__device_12) or
    C(name__virtual_machine_12) after its id, with a warning, so that no host's name changes when others come.
    Objects without a name, and names that Ansible cannot take (C(localhost), C(all), with a leading C(-), with template
    marks or with characters of host patterns or paths), are left out, with a warning."
  - A record of a snapshot that is marked as context only is in its groups and in C(context_only), with what NetBox
    knows about its identity, without config context and custom fields.
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [bedplate.datacenter.netbox]
  snapshot:
    description:
      - A snapshot file, plain or gzipped, that is read instead of NetBox. A relative path starts at the inventory file.
      - O(statuses) and O(types) hold for it; filters do not, and a snapshot that was not read with them is warned of.
    type: str
  api_endpoint:
    description:
      - NetBox's address, such as V(https://netbox.example.com). A path may follow it. Can be a template.
      - Where both variables are set, E(NETBOX_URL) holds.
    type: str
    env:
      - name: NETBOX_API
      - name: NETBOX_URL
  token:
    description:
      - An API token of NetBox. A v1 token is sent as C(Token), a v2 token (C(nbt_KEY.TOKEN)) as C(Bearer).
      - Better is a file or the environment. Can be a template, such as a lookup in a password store.
      - Where both variables are set, E(NETBOX_TOKEN) holds.
    type: str
    env:
      - name: NETBOX_API_TOKEN
      - name: NETBOX_TOKEN
  token_file:
    description: A file with the token, read if O(token) is not given. A relative path starts at the inventory file.
    type: str
    env:
      - name: NETBOX_TOKEN_FILE
  validate_certs:
    description: Whether NetBox's certificate must be valid.
    type: bool
    default: true
  ca_path:
    description: A file with the certificates of the authorities that NetBox's certificate may come from.
    type: str
  timeout:
    description: Seconds that NetBox may be silent in one answer.
    type: float
    default: 60
  retries:
    description: How often a request is sent again after a failure that may pass (no connection, half a page, 429, 5xx).
    type: int
    default: 3
  headers:
    description: Headers that are sent besides our own. Values can be templates.
    type: dict
    default: {}
  page_size:
    description: Objects a page. NetBox may give fewer.
    type: int
    default: 1000
  transport:
    description:
      - How hosts are read. V(auto) is GraphQL where the server has what is needed (NetBox 4.5 and newer, GraphQL
        switched on), and REST else. The result is the same.
      - GraphQL answers with nothing, not with an error, where a token lacks a right. What it gives is compared with
        what REST counts, of hosts and of hosts without a tenant, a platform, a rack and so on.
    type: str
    choices: [auto, graphql, rest]
    default: auto
  types:
    description: Which objects become hosts, V(device) and V(virtual_machine).
    type: list
    elements: str
    default: [device, virtual_machine]
  statuses:
    description:
      - Only hosts of these statuses are taken. An empty list takes all.
      - Where the filters of a type name a status, they decide for this type.
    type: list
    elements: str
    default: [active, staged]
  query_filters:
    description:
      - Filters for devices and virtual machines, by NetBox's names, as a list of dictionaries or C(name=value). Several
        values of one name are alternatives.
      - A name that NetBox does not know is an error.
    type: list
    elements: raw
    default: []
  device_query_filters:
    description: Filters for devices only.
    type: list
    elements: raw
    default: []
  vm_query_filters:
    description: Filters for virtual machines only.
    type: list
    elements: raw
    default: []
  config_context:
    description: Whether the rendered config context is read. Its keys become variables.
    type: bool
    default: true
  services:
    description: Whether services are read.
    type: bool
    default: true
  interfaces:
    description: Whether interfaces and their addresses are read. This takes much longer.
    type: bool
    default: false
  prefixes:
    description:
      - Whether NetBox's prefixes are read too, into a file beside the snapshot, with C(.prefixes) added to its name.
        They are only read again where one of them or a site was changed.
      - C(bedplate inventory check) asks for them, to find addresses that are outside of them.
    type: bool
    default: false
    env:
      - name: BEDPLATE_INVENTORY_PREFIXES
  group_by:
    description: Which kinds of groups are made.
    type: list
    elements: str
    default: [class, region, site, location, rack, cluster, role, platform, tenant, status, tag]
  ansible_host_from:
    description:
      - Where C(ansible_host) comes from. The first that is there wins.
      - V(primary) is the primary IPv4 address or else the primary IPv6 address, V(primary_ip4) and V(primary_ip6) are
        one of them, V(dns_name) is the name of the primary address, V(oob) is the out-of-band address.
    type: list
    elements: str
    default: [primary]
  hosts_without_address:
    description:
      - What becomes of a host for which O(ansible_host_from) gives nothing. It is named in a warning in any case.
      - V(keep) keeps it, and Ansible connects by its name. V(skip) leaves it out.
    type: str
    choices: [keep, skip]
    default: keep
  class_from:
    description:
      - Where the class of a host (V(bare_metal), V(colo) or V(cloud)) comes from. The first that names a class wins.
      - V(custom_field) is the custom field O(class_field), V(tag) any tag, V(role) the role, V(type) the type of the
        object, V(site_group) the site group of the host's site or else those above it.
      - A value that is itself the name of a class (C(-) counts as C(_)) needs no entry in O(class_map).
      - With the defaults, a virtual machine is V(cloud), and a device is what its site group says, or else bare metal.
      - This holds where NetBox is read. In a snapshot the class is recorded.
    type: list
    elements: str
    default: [custom_field, tag, role, type, site_group]
  class_map:
    description: For each source the values that stand for a class.
    type: dict
    default: {type: {virtual_machine: cloud}}
  class_field:
    description: The custom field that names the class.
    type: str
    default: bedplate_class
  class_default:
    description: The class of hosts about which no source says anything. Empty for none.
    type: str
    default: bare_metal
  snapshot_path:
    description:
      - Where the last good snapshot is kept. A relative path starts at the inventory file.
      - Without it, a file in C(snapshots) of the state folder (E(BEDPLATE_HOME), or C(bedplate) in E(XDG_STATE_HOME)),
        named by a digest of NetBox's address and of what is asked for.
      - It is gzipped when it is large.
    type: str
    env:
      - name: BEDPLATE_INVENTORY_SNAPSHOT
  cache_ttl:
    description: Seconds for which the last good snapshot serves without asking NetBox. 0 asks each time.
    type: float
    default: 300
    env:
      - name: BEDPLATE_INVENTORY_CACHE_TTL
  refresh:
    description: Ask NetBox, however fresh the last good snapshot is.
    type: bool
    default: false
    env:
      - name: BEDPLATE_INVENTORY_REFRESH
  full:
    description:
      - Ask NetBox, and read it in full, even where it is known what changed since the last good snapshot.
    type: bool
    default: false
    env:
      - name: BEDPLATE_INVENTORY_FULL
  full_read_after:
    description:
      - Hours after the last full read at which NetBox is read in full again. 0 reads it in full each time.
      - Until then only what changed is read, by NetBox's changelog (its entries of the last ten minutes are read again,
        for transactions that commit late) and by what says that it was updated since. Changes to sites, roles, tags,
        config contexts, addresses and so on reach their hosts. Where that cannot be told exactly (the changelog was
        pruned or cannot be seen, custom fields were changed, the number of hosts does not fit), NetBox is read in full.
      - Writes to NetBox's database that leave neither an entry in the changelog nor a new time of update are only seen
        by a full read.
    type: float
    default: 24
    env:
      - name: BEDPLATE_INVENTORY_FULL_AFTER
  stale_if_error:
    description: Whether the last good snapshot serves, with a warning, when NetBox gives no complete answer.
    type: bool
    default: false
    env:
      - name: BEDPLATE_INVENTORY_STALE
  stale_max_age:
    description: Hours that the last good snapshot may be old for O(stale_if_error).
    type: float
    default: 24
    env:
      - name: BEDPLATE_INVENTORY_MAX_AGE
  shrink_limit:
    description:
      - Percent of the hosts of the last good snapshot, of all, of each type and of each class, that may be gone from a
        new one. If more are gone, that is an error, and the last good snapshot stays.
      - It holds too for the groups of each kind (sites, roles, tenants and so on) that may be gone, and for the hosts
        that may have no site, role, tenant and so on any more.
      - A host that was renamed is not gone.
    type: float
    default: 10
    env:
      - name: BEDPLATE_INVENTORY_SHRINK_PERCENT
  shrink_minimum:
    description: So many hosts or groups may be gone in any case, so that O(shrink_limit) does not stop small fleets.
    type: int
    default: 5
  accept_shrink:
    description: Take a fleet that shrank by more than O(shrink_limit). Meant for one refresh, by the environment.
    type: bool
    default: false
    env:
      - name: BEDPLATE_INVENTORY_ACCEPT_SHRINK
  allow_empty:
    description: Whether there may be no host at all.
    type: bool
    default: false
  compat:
    description:
      - V(nb_inventory) makes the groups and variables that C(netbox.netbox.nb_inventory) makes of the same options, so
        that playbooks go on working while they are moved. Then O(config_context) is off and O(group_by) is empty unless
        they are given, hosts of every status are taken, C(compose), C(groups) and C(keyed_groups) speak of NetBox's
        objects, and O(snapshot) and O(snapshot_path) are files of what was read for this.
      - "What is otherwise: a filter that NetBox does not know is an error, an answer that is refused or incomplete too,
        objects without a name are left out, and C(ansible_*) names of flattened data are refused as elsewhere."
      - A refresh reads hosts again that changed or that carry a site, role, tag and so on that changed, and the short
        lists. Where that cannot be told exactly, all is read, as it is after O(full_read_after). That is so for any
        change with O(interfaces), for changes to components such as interfaces, which hosts count, and for changes that
        config contexts or filters may depend on.
      - O(prefixes) and O(transport) mean nothing with it.
      - The commands of C(bedplate) need an inventory without it.
    type: str
    choices: [nb_inventory]
  plurals:
    description: With O(compat), whether names are in the plural and most variables are lists of one.
    type: bool
    default: true
  racks:
    description: With O(compat), whether there are racks and locations.
    type: bool
    default: true
  group_names_raw:
    description: With O(compat), whether groups are named without their kind in front.
    type: bool
    default: false
  site_data:
    description: With O(compat), whether the whole object of the site is a variable.
    type: bool
    default: false
  dns_name:
    description: With O(compat), whether the name of the primary address is a variable.
    type: bool
    default: false
  ansible_host_dns_name:
    description: With O(compat), whether C(ansible_host) is the name of the primary address, where it has one.
    type: bool
    default: false
  oob_ip_as_primary_ip:
    description: With O(compat), whether C(ansible_host) is the out-of-band address, where there is one.
    type: bool
    default: false
  flatten_config_context:
    description: With O(compat), whether the keys of the config context are variables.
    type: bool
    default: false
  flatten_custom_fields:
    description: With O(compat), whether custom fields are variables.
    type: bool
    default: false
  flatten_local_context_data:
    description: With O(compat), whether the keys of the local context data are variables.
    type: bool
    default: false
  rename_variables:
    description: With O(compat), patterns and what the names of variables become that match them. The first one holds.
    type: list
    elements: dict
    default: []
  virtual_chassis_name:
    description: With O(compat), whether the master of a virtual chassis is called as the chassis is.
    type: bool
    default: false
  fetch_all:
    description: Known to O(compat), where whole lists are read in any case.
    type: bool
    default: true
  max_uri_length:
    description: Known to O(compat), where no request is that long.
    type: int
    default: 4000
extends_documentation_fragment:
  - ansible.builtin.constructed
"""

EXAMPLES = r"""
# From a snapshot
plugin: bedplate.datacenter.netbox
snapshot: .snapshot.json

---
# From NetBox, with the token in the environment (NETBOX_TOKEN)
plugin: bedplate.datacenter.netbox
api_endpoint: https://netbox.example.com
query_filters:
  - region: emea
device_query_filters:
  - role: [server, observer]
  - has_primary_ip: true

---
# How hosts get their class, and groups of one's own
plugin: bedplate.datacenter.netbox
api_endpoint: https://netbox.example.com
token_file: ~/.config/netbox-token
ansible_host_from: [dns_name, primary]
class_from: [custom_field, type, site_group]
class_map:
  type:
    virtual_machine: cloud
  site_group:
    equinix: colo
keyed_groups:
  - key: bedplate_custom_fields.patch_window
    prefix: patch
groups:
  needs_care: bedplate_status == 'staged'
compose:
  ansible_port: 2222 if bedplate_role == 'bastion' else 22
"""

import gc  # noqa: E402
import os  # noqa: E402
from difflib import get_close_matches  # noqa: E402
from typing import Any, Dict, Iterable, Optional  # noqa: E402

from ansible.errors import AnsibleParserError  # noqa: E402
from ansible.inventory.data import InventoryData  # noqa: E402
from ansible.parsing.dataloader import DataLoader  # noqa: E402
from ansible.plugins.inventory import BaseInventoryPlugin, Constructable  # noqa: E402
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.netbox.client import Client  # noqa: E402
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.netbox.compat import (  # noqa: E402
    CompatOptions,
    check_alone,
    populate_as_nb_inventory,
)
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.netbox.construct import (  # noqa: E402
    Constructed,
    construct,
)
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.netbox.faults import (  # noqa: E402
    InventoryError,
    Notices,
)
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.netbox.gate import check_not_empty  # noqa: E402
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.netbox.options import Options  # noqa: E402
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.netbox.populate import populate  # noqa: E402
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.netbox.prefixes import (  # noqa: E402
    Prefixes,
    renewed,
)
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.netbox.query import Query  # noqa: E402
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.netbox.snapshot import (  # noqa: E402
    Snapshot,
    read_snapshot,
)
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.netbox.snapshot_fleet import (  # noqa: E402
    SnapshotFleet,
)
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.netbox.source import NetBoxSource  # noqa: E402
from ansible_collections.bedplate.datacenter.plugins.plugin_utils.netbox.supply import Supply  # noqa: E402

_CAN_BE_TEMPLATES = frozenset(("api_endpoint", "token", "token_file", "headers", "snapshot", "snapshot_path"))


class InventoryModule(BaseInventoryPlugin, Constructable):
    """Hosts from NetBox, or from a snapshot of it."""

    NAME = "bedplate.datacenter.netbox"

    def verify_file(self, path: str) -> bool:
        """Return whether this is an inventory file of this plugin, by its name."""
        return bool(super().verify_file(path)) and path.endswith(("netbox.yml", "netbox.yaml"))

    def parse(self, inventory: InventoryData, loader: DataLoader, path: str, cache: bool = True) -> None:
        """Fill the inventory. Raises AnsibleParserError if there is no complete and well-formed fleet."""
        super().parse(inventory, loader, path, cache)
        fault = None
        collecting = gc.isenabled()
        gc.disable()  # a large fleet is millions of objects that all stay
        try:
            config = self._read_config_data(path)
            self._check_keys(config)
            compat = self.get_option("compat")
            check_alone(bool(compat), config)
            options = Options(self._option, os.path.dirname(os.path.abspath(path)))
            if compat:
                self._fill_as_nb_inventory(CompatOptions(self._option, config, options))
            else:
                self._fill(options)
        except InventoryError as error:
            fault = AnsibleParserError(str(error))
        finally:
            if collecting:
                gc.enable()
        if fault is not None:
            raise fault  # not from within the handler: newer Ansible would print the sentence twice

    def _fill(self, options: Options) -> None:
        notices = Notices()
        query = options.query()
        snapshot = self._snapshot(options, query, notices)
        names = populate(self.inventory, snapshot.hosts, query, options.shape(), notices)
        self._construct({name: not snapshot.hosts[name].get("context_only") for name in names})
        for sentence in notices.sentences():
            self.display.warning(sentence)

    def _fill_as_nb_inventory(self, options: CompatOptions) -> None:
        notices = Notices()
        lists = options.lists(self.display.warning, self.display.v)
        objects, into_groups = populate_as_nb_inventory(self.inventory, lists, options, notices)
        self._construct(dict.fromkeys(objects, True), objects)
        into_groups()
        for sentence in notices.sentences():
            self.display.warning(sentence)

    def _snapshot(self, options: Options, query: Query, notices: Notices) -> Snapshot:
        path = options.snapshot
        if path is None:
            return self._live_snapshot(options, query, notices)
        snapshot = read_snapshot(path)
        check_not_empty(snapshot, options.allow_empty, path)
        if query.has_filters() and (snapshot.cursor or {}).get("query") != query.digest():
            self.display.warning("%s was not read with these filters, and they do not hold for it" % path)
        return snapshot

    def _live_snapshot(self, options: Options, query: Query, notices: Notices) -> Snapshot:
        source = NetBoxSource(Client(options.endpoint()), options.page_size, options.transport)
        kept = options.snapshot_path(source.url, query)
        fleet = SnapshotFleet(source, query, options.class_rule(), notices, kept)
        supply = Supply(fleet, options.limits(), path=kept, refresh=options.refresh, full=options.full)
        snapshot = supply.serve(self.display.warning)
        if options.prefixes:
            for sentence in renewed(Prefixes(Client(options.endpoint()), options.page_size, kept)):
                self.display.warning(sentence)
        self.display.v("%s: %d hosts, read %s" % (source.url, len(snapshot.hosts), (snapshot.cursor or {}).get("read")))
        return snapshot

    def _construct(self, hosts: Dict[str, bool], objects: Optional[Dict[str, Dict[str, Any]]] = None) -> None:
        """Apply compose, groups and keyed_groups; `strict` only holds for hosts that have all their variables."""
        options = Constructed(*(self.get_option(name) for name in Constructed._fields))
        if options.compose or options.groups or options.keyed_groups:
            construct(self, hosts, options, objects)

    def _option(self, name: str) -> Any:  # noqa: ANN401 (options are of every type)
        value = self.get_option(name)
        return self.templar.template(value) if name in _CAN_BE_TEMPLATES and value else value

    def _check_keys(self, config: Iterable[object]) -> None:
        """Refuse keys that are no options: a misspelt filter must not go unnoticed."""
        known = set(self.get_options()) | {"plugin"}
        for key in config:
            if key not in known:
                near = get_close_matches(str(key), sorted(known), n=1)
                raise InventoryError(
                    "unknown option %r" % key, hint="did you mean %s?" % near[0] if near else "see ansible-doc"
                )
