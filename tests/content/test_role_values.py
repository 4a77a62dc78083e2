"""What roles make of what NetBox says, of fields that are empty and of values that nobody thinks of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from content.role_content import ROOT
from content.role_values import role_values


def test_names_of_hosts(tmp_path: Path) -> None:
    hosts = {
        "web1": {},
        "Web2.Example.COM": {},
        "web3": {"bedplate_dns_name": "web3.example.com."},
        "web4": {"bedplate_dns_name": None},
        "web5.example.com": {"site_identity_hostname": ""},
        # A host that an inventory of one's own knows by its address only keeps the name that it has.
        "192.0.2.7": {},
        "2001:db8::7": {"bedplate_dns_name": "web7.example.com"},
    }
    wanted = "{{ [site_identity_hostname, site_identity_domain, _site_identity_fqdn, _site_identity_faults] }}"
    assert role_values(tmp_path, "site_identity", wanted, hosts) == {
        "web1": ["web1", "", "web1", []],
        "Web2.Example.COM": ["web2", "example.com", "web2.example.com", []],
        "web3": ["web3", "example.com", "web3.example.com", []],
        "web4": ["web4", "", "web4", []],
        "web5.example.com": ["", "example.com", "", []],
        "192.0.2.7": ["", "", "", []],
        "2001:db8::7": ["", "example.com", "", []],
    }


def test_people_at_the_site(tmp_path: Path) -> None:
    noc = {"id": 3, "url": "https://netbox.example.com/api/tenancy/contacts/3/", "display": "NOC Frankfurt"}
    fields = {
        "text": {"remote_hands": "+49 69 555 0100"},
        "contact": {"remote_hands": noc},
        "contacts": {"remote_hands": [noc, {"id": 4, "display": "Hands at night"}]},
        "choices": {"remote_hands": ["noc", "night"]},
        "none": {"remote_hands": None},
        "no-field": {},
    }
    hosts = {name: {"bedplate_custom_fields": value} for name, value in fields.items()}
    hosts["no-fields"] = {}
    assert role_values(tmp_path, "site_identity", "{{ site_identity_remote_hands }}", hosts) == {
        "text": "+49 69 555 0100",
        "contact": "NOC Frankfurt",
        "contacts": "NOC Frankfurt, Hands at night",
        "choices": "noc, night",
        "none": "",
        "no-field": "",
        "no-fields": "",
    }


def test_windows_for_updates(tmp_path: Path) -> None:
    windows = {
        "usual": "sun-02",
        "capital": "Sat-22",
        "systemd": "Mon..Fri *-*-* 03:30",
        # It is not taken for a window of every night: systemd says that it is none.
        "wrong": "sunday-25",
        "empty": "",
        "none": None,
    }
    hosts = {name: {"bedplate_custom_fields": {"patch_window": value}} for name, value in windows.items()}
    hosts["no-fields"] = {}
    assert role_values(tmp_path, "packages", "{{ packages_upgrade_window }}", hosts) == {
        "usual": "sun *-*-* 02:00",
        "capital": "Sat *-*-* 22:00",
        "systemd": "Mon..Fri *-*-* 03:30",
        "wrong": "sunday-25",
        "empty": "*-*-* 02:00",
        "none": "*-*-* 02:00",
        "no-fields": "*-*-* 02:00",
    }


def test_a_reboot_after_updates_is_within_their_window(tmp_path: Path) -> None:
    host = {"bedplate_custom_fields": {"patch_window": "sun-14"}, "packages_upgrade_reboot": True}
    # A time of day would be the next day's, outside of the window, and that of all hosts at once.
    assert role_values(tmp_path, "packages", "{{ packages_upgrade_reboot_time }}", {"web1": host}) == {"web1": "now"}


def test_agents_of_hypervisors(tmp_path: Path) -> None:
    guests = {
        "kvm": ["kvm"],
        "openstack": ["openstack"],
        "oVirt": ["oVirt"],
        "RHEV": ["RHEV"],
        "RHV": ["RHV"],
        "KubeVirt": ["KubeVirt"],
        "VMware": ["VMware"],
        "VirtualPC": ["VirtualPC"],
        "xen": ["xen"],
        "podman": ["container", "podman"],
    }
    facts = {name: {"virtualization_tech_guest": tech, "virtualization_type": name} for name, tech in guests.items()}
    names = [*guests, "ubuntu-vmware", "ubuntu-hyperv"]
    hosts = {name: {"bedplate_class": "cloud", "cloud_guest_metadata": False} for name in names}
    for name, kind in (("ubuntu-vmware", "VMware"), ("ubuntu-hyperv", "VirtualPC")):
        facts[name] = {**facts[kind], "distribution": "Ubuntu", "distribution_version": "24.04"}
    qemu = ["qemu-guest-agent"]
    assert role_values(tmp_path, "cloud_guest", "{{ _cloud_guest_wanted }}", hosts, facts) == {
        **dict.fromkeys(["kvm", "openstack", "oVirt", "RHEV", "RHV", "KubeVirt"], qemu),
        "VMware": ["open-vm-tools"],
        "VirtualPC": ["hyperv-daemons"],
        "xen": [],
        "podman": [],
        "ubuntu-vmware": ["open-vm-tools"],
        "ubuntu-hyperv": [],
    }


def test_observers_behind_one_address_are_let_in(tmp_path: Path) -> None:
    hosts = {
        "obs1": {"ansible_host": "192.0.2.1", "bedplate_primary_ip6": "2001:db8::1", "bedplate_role": "observer"},
        "obs2": {"ansible_host": "192.0.2.1", "bedplate_role": "observer"},
        "web1": {"ansible_host": "198.51.100.7"},
    }
    found = role_values(tmp_path, "firewall", "{{ _firewall_observer_addresses }}", hosts)
    assert found["web1"] == ["192.0.2.1", "2001:db8::1"]


def test_a_list_of_ones_own_is_no_mistake_in_clouds(tmp_path: Path) -> None:
    hosts = {
        "own": {"bedplate_class": "cloud", "hardening_sysctl": [{"name": "kernel.sysrq", "value": 0}]},
        "wrong": {"bedplate_class": "cloud", "hardening_controls_off_extra": ["3.99"]},
    }
    assert role_values(tmp_path, "hardening", "{{ _hardening_unknown }}", hosts) == {"own": [], "wrong": ["3.99"]}


def test_what_is_watched_besides_takes_nothing_away(tmp_path: Path) -> None:
    extra = [
        {"key": "read", "path": "/etc/shadow", "access": "r"},
        {"key": "identity", "path": "/etc/group", "access": "wax"},
    ]
    wanted = (
        "{{ _auditing_watches | selectattr('path', 'in', ['/etc/shadow', '/etc/group']) | map(attribute='access') }}"
    )
    hosts = {"web1": {"auditing_watches_extra": extra}, "web2": {}}
    assert role_values(tmp_path, "auditing", wanted, hosts) == {"web1": ["wax", "wa", "r"], "web2": ["wa", "wa"]}


def test_controls_of_the_audit_have_a_switch_each(tmp_path: Path) -> None:
    hosts = {"web1": {"auditing_controls_off": ["6.2.4.3", "6.2.3.20"]}}
    wanted = "{{ [_auditing_unknown, _auditing_daemon | map(attribute='name') | select('eq', 'log_group')] }}"
    assert role_values(tmp_path, "auditing", wanted, hosts) == {"web1": [[], []]}


def test_an_observer_sees_a_host_that_answers_no_pings(tmp_path: Path) -> None:
    observer = {"ansible_host": "192.0.2.1", "bedplate_primary_ip6": "2001:db8::1", "bedplate_role": "observer"}
    web = {"firewall_management_prefixes": ["2001:db8:9::/48"], "firewall_ssh_from_observers": False}
    wanted = "{{ _firewall_closed_rules | bedplate.datacenter.firewall_lines(closed=true) }}"
    hosts = {"obs1": observer, "web1": {**web, "firewall_ping": False}, "web2": web}
    hosts = {
        name: {**variables, "__access_id": {"stdout_lines": ["uid=0(root)", ""]}} for name, variables in hosts.items()
    }
    found = role_values(tmp_path, "firewall", wanted, hosts)
    closed = [
        'ip6 saddr 2001:db8:9::/48 tcp dport 22 accept comment "ssh"',
        'ip saddr 192.0.2.1 tcp dport 9100 accept comment "metrics"',
        'ip6 saddr 2001:db8::1 tcp dport 9100 accept comment "metrics"',
    ]
    assert found["web2"] == closed
    assert [line for line in found["web1"] if line not in closed] == [
        'ip saddr 192.0.2.1 meta l4proto 1 accept comment "ping"',
        'ip6 saddr 2001:db8::1 meta l4proto 1 accept comment "ping"',
        'ip saddr 192.0.2.1 meta l4proto 58 accept comment "ping"',
        'ip6 saddr 2001:db8::1 meta l4proto 58 accept comment "ping"',
    ]


def test_a_receiver_has_the_name_or_the_address_that_its_certificate_is_for(tmp_path: Path) -> None:
    receivers = [
        {"address": "192.0.2.1", "name": "obs1"},
        {"address": "logs.example.com", "port": 6514, "tls": True},
        {"address": "192.0.2.3"},
        {"address": "2001:db8::4", "tls": False},
    ]
    certificate = {"_certificates_in_use": True, "certificates_directory": "/etc/bedplate/tls"}
    hosts: dict[str, dict[str, Any]] = {
        "obs1": {"bedplate_role": "observer", "ansible_host": "192.0.2.1", **certificate},
        "web1": {"logging_receivers": receivers, **certificate},
    }
    for name in ("tunnels", "sent"):
        (tmp_path / name).mkdir()
    template = ROOT / "roles" / "logging" / "templates"
    lines = "{{ lookup('ansible.builtin.template', '%s').splitlines() | map('trim') | select | list }}"
    tunnels = role_values(tmp_path / "tunnels", "logging", lines % (template / "tunnel.conf.j2"), hosts)["web1"]
    for wanted in (
        ["[forward-1]", "accept = 127.0.0.1:601", "connect = 192.0.2.1:2514", "checkHost = obs1"],
        ["[forward-2]", "accept = 127.0.0.1:602", "connect = logs.example.com:6514", "checkHost = logs.example.com"],
        ["[forward-3]", "accept = 127.0.0.1:603", "connect = 192.0.2.3:2514", "checkIP = 192.0.2.3"],
    ):
        start = tunnels.index(wanted[0])
        assert [line for line in tunnels[start : start + 10] if line in wanted] == wanted
    assert "[forward-4]" not in tunnels
    sent = role_values(tmp_path / "sent", "logging", lines % (template / "forward.conf.j2"), hosts)
    ends = [line for line in sent["web1"] if line.startswith(("target=", "port="))]
    assert ends[-2:] == ['target="2001:db8::4"', 'port="2514"']
    assert ends[:2] == ['target="127.0.0.1"', 'port="601"']


def test_what_differs_between_platforms(tmp_path: Path) -> None:
    facts = {
        "bookworm": {},
        "jammy": {"distribution": "Ubuntu", "distribution_version": "22.04"},
        "noble": {"distribution": "Ubuntu", "distribution_version": "24.04"},
    }
    hosts: dict[str, dict[str, str]] = {name: {} for name in facts}
    for folder in ("metrics", "logging"):
        (tmp_path / folder).mkdir()
    found = role_values(tmp_path / "metrics", "metrics", "{{ _metrics_web_option }}", hosts, facts)
    assert found == {"bookworm": "--web.config.file", "jammy": "--web.config", "noble": "--web.config.file"}
    found = role_values(tmp_path / "logging", "logging", "{{ _logging_confinement }}", hosts, facts)
    assert found == {"bookworm": "", "jammy": "", "noble": "/etc/apparmor.d/rsyslog.d/bedplate"}
