"""The types of NetBox's objects that a host's record is made of: where REST and GraphQL list them."""

from __future__ import annotations

from typing import Dict, FrozenSet, Mapping, NamedTuple, Tuple


class Kind(NamedTuple):
    """One type.

    Attributes:
        path: of its list in REST.
        graphql: name of its list in GraphQL.
        tables: which tables have something of it.
        decides_context: whether a change may alter which config contexts hosts get.
    """

    path: str
    graphql: str
    tables: Tuple[str, ...] = ()
    decides_context: bool = False


HOSTS: Mapping[str, str] = {"dcim.device": "device", "virtualization.virtualmachine": "virtual_machine"}
PATHS: Mapping[str, str] = {"device": "/api/dcim/devices/", "virtual_machine": "/api/virtualization/virtual-machines/"}
ADDRESS = "ipam.ipaddress"
SERVICE = "ipam.service"
CUSTOM_FIELD = "extras.customfield"

KINDS: Mapping[str, Kind] = {
    "dcim.device": Kind(PATHS["device"], "device_list"),
    "virtualization.virtualmachine": Kind(PATHS["virtual_machine"], "virtual_machine_list"),
    "dcim.region": Kind("/api/dcim/regions/", "region_list", ("regions", "clusters"), True),
    "dcim.sitegroup": Kind("/api/dcim/site-groups/", "site_group_list", ("site_groups", "clusters"), True),
    "dcim.site": Kind("/api/dcim/sites/", "site_list", ("sites", "clusters"), True),
    "dcim.location": Kind("/api/dcim/locations/", "location_list", ("locations", "clusters"), True),
    "dcim.rack": Kind("/api/dcim/racks/", "rack_list", ("racks",)),
    "dcim.devicerole": Kind("/api/dcim/device-roles/", "device_role_list", ("roles",), True),
    "dcim.platform": Kind("/api/dcim/platforms/", "platform_list", ("platforms",), True),
    "dcim.manufacturer": Kind("/api/dcim/manufacturers/", "manufacturer_list", ("device_types",)),
    "dcim.devicetype": Kind("/api/dcim/device-types/", "device_type_list", ("device_types",), True),
    "tenancy.tenant": Kind("/api/tenancy/tenants/", "tenant_list", ("tenants",), True),
    "tenancy.tenantgroup": Kind("/api/tenancy/tenant-groups/", "tenant_group_list", (), True),
    "virtualization.cluster": Kind("/api/virtualization/clusters/", "cluster_list", ("clusters",), True),
    "virtualization.clustergroup": Kind(
        "/api/virtualization/cluster-groups/", "cluster_group_list", ("clusters",), True
    ),
    "virtualization.clustertype": Kind("/api/virtualization/cluster-types/", "cluster_type_list", (), True),
    "extras.tag": Kind("/api/extras/tags/", "tag_list", ("tags",), True),
    "extras.configcontext": Kind("/api/extras/config-contexts/", "config_context_list", (), True),
    CUSTOM_FIELD: Kind("/api/extras/custom-fields/", "custom_field_list"),
    ADDRESS: Kind("/api/ipam/ip-addresses/", "ip_address_list"),
    SERVICE: Kind("/api/ipam/services/", "service_list"),
}

# Table -> where REST lists it, and with which fields.
TABLE_LISTS: Mapping[str, Tuple[str, str]] = {
    "regions": ("/api/dcim/regions/", "id,slug,name,parent"),
    "site_groups": ("/api/dcim/site-groups/", "id,slug,name,parent"),
    "sites": ("/api/dcim/sites/", "id,slug,name,region,group"),
    "clusters": ("/api/virtualization/clusters/", "id,name,group,scope,scope_type"),
    "locations": ("/api/dcim/locations/", "id,slug,name"),
    "racks": ("/api/dcim/racks/", "id,name"),
    "roles": ("/api/dcim/device-roles/", "id,slug,name"),
    "platforms": ("/api/dcim/platforms/", "id,slug,name"),
    "tenants": ("/api/tenancy/tenants/", "id,slug,name"),
    "device_types": ("/api/dcim/device-types/", "id,model,manufacturer"),
    "tags": ("/api/extras/tags/", "id,slug,name"),
}
# What REST's devices and virtual machines do not carry themselves.
NOT_CARRIED: Tuple[str, ...] = ("regions", "site_groups", "sites", "clusters")

SERVICE_LIST = (
    "/api/ipam/services/",
    "id,name,protocol,ports,parent_object_type,parent_object_id,device,virtual_machine",
)
INTERFACE_LISTS: Dict[str, Tuple[str, str]] = {
    "device": (
        "/api/dcim/interfaces/",
        "id,name,type,enabled,mtu,mac_address,primary_mac_address,mgmt_only,device",
    ),
    "virtual_machine": (
        "/api/virtualization/interfaces/",
        "id,name,enabled,mtu,mac_address,primary_mac_address,virtual_machine",
    ),
}
ASSIGNED_LIST = ("/api/ipam/ip-addresses/", "id,address,assigned_object_type,assigned_object_id")
ADDRESS_FIELDS = "id,address,dns_name"

# Changes to these can alter any host in ways that no list of ids tells.
ANY_HOST: FrozenSet[str] = frozenset((CUSTOM_FIELD, "extras.customfieldchoiceset"))
OF_INTERFACES: FrozenSet[str] = frozenset(("dcim.interface", "virtualization.vminterface", "dcim.macaddress", ADDRESS))
