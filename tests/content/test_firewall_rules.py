"""The rules of the role firewall: what is refused, and what lines the rest becomes."""

from __future__ import annotations

import ipaddress
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.role_content import load_plugin

RULES = load_plugin("plugins/filter/firewall.py")
MODULE = load_plugin("plugins/modules/firewall_ruleset.py")


def ips(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**bits - 1)


ports = st.integers(1, 65535)
spans = st.tuples(ports, ports).filter(lambda pair: pair[0] < pair[1]).map(lambda pair: f"{pair[0]}-{pair[1]}")
networks4 = st.builds(lambda bits, size: ipaddress.IPv4Network((bits, size), strict=False), ips(32), st.integers(8, 32))
networks6 = st.builds(
    lambda bits, size: ipaddress.IPv6Network((bits, size), strict=False), ips(128), st.integers(8, 128)
)
networks = st.one_of(networks4, networks6).map(str)


@pytest.mark.parametrize(
    ("rule", "lines"),
    [
        ({"name": "web", "ports": [443, 80]}, ['tcp dport { 80, 443 } accept comment "web"']),
        ({"name": "web", "ports": [443]}, ['tcp dport 443 accept comment "web"']),
        ({"name": "all", "protocol": "any"}, ['accept comment "all"']),
        ({"name": "ha", "protocol": "vrrp"}, ['meta l4proto 112 accept comment "ha"']),
        (
            {"name": "dns", "protocol": "udp", "ports": [53], "sources": ["10.0.0.0/8", "10.1.0.0/16", "2001:db8::1"]},
            [
                'ip saddr 10.0.0.0/8 udp dport 53 accept comment "dns"',
                'ip6 saddr 2001:db8::1 udp dport 53 accept comment "dns"',
            ],
        ),
    ],
)
def test_a_rule_becomes_lines(rule: dict[str, Any], lines: list[str]) -> None:
    assert RULES.firewall_faults([rule]) == []
    assert RULES.firewall_lines([rule]) == lines


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"ports": [80]}, "rule 1: None is no name"),
        ({"name": 'a"; drop'}, "is no name of a rule"),
        ({"name": "web", "ports": [0]}, "web: port 0 is not 1 to 65535"),
        ({"name": "web", "ports": [True]}, "web: True is no port"),
        ({"name": "web", "ports": ["90-80"]}, "web: '90-80' is no port"),
        ({"name": "web", "ports": ["80; accept"]}, "web: '80; accept' is no port"),
        ({"name": "web", "protocol": "icmp", "ports": [8]}, "web: icmp has no ports"),
        ({"name": "web", "protocol": "tcp accept"}, "web: 'tcp accept' is no protocol"),
        ({"name": "web", "action": "jump"}, "web: action 'jump' is none of accept, drop, reject"),
        ({"name": "web", "sources": ["10.0.0.1/8"]}, "web: '10.0.0.1/8' is no IP address or network"),
        ({"name": "web", "source": ["10.0.0.0/8"]}, "source is no key of a rule"),
    ],
)
def test_what_is_wrong_is_named(rule: dict[str, Any], says: str) -> None:
    (fault,) = RULES.firewall_faults([rule])
    assert says in fault


def test_a_closed_rule_without_sources_admits_nobody() -> None:
    rule = {"name": "metrics", "ports": [9100], "sources": []}
    assert RULES.firewall_lines([rule], closed=True) == []
    assert RULES.firewall_lines([rule]) == ['tcp dport 9100 accept comment "metrics"']


def test_refusals_are_asked_for_apart() -> None:
    rules = [{"name": "in", "ports": [1]}, {"name": "out", "ports": [2], "action": "drop"}]
    assert RULES.firewall_lines(rules) == ['tcp dport 1 accept comment "in"']
    assert RULES.firewall_lines(rules, ["drop", "reject"]) == ['tcp dport 2 drop comment "out"']


@given(st.lists(st.one_of(ports, spans), min_size=1, max_size=8))
def test_ports_are_the_same_after_merging(given_ports: list[int | str]) -> None:
    assert all(RULES._port_fault(port) == "" for port in given_ports)
    merged = RULES._merged_ports(given_ports)
    assert _covered(merged) == _covered(given_ports)
    bounds = [tuple(map(int, (span.split("-") * 2)[:2])) for span in merged]
    assert all(left[1] + 1 < right[0] for left, right in pairwise(bounds))


def _covered(items: list[Any]) -> set[int]:
    found: set[int] = set()
    for item in items:
        low, high = map(int, (str(item).split("-") * 2)[:2])
        found |= set(range(low, high + 1))
    return found


@given(st.lists(networks, max_size=6))
def test_networks_never_overlap(given_networks: list[str]) -> None:
    assert RULES.network_faults(given_networks) == []
    for version in (4, 6):
        kept = [ipaddress.ip_network(network) for network in RULES.networks_of(given_networks, version)]
        wanted = [network for network in map(ipaddress.ip_network, given_networks) if network.version == version]
        assert all(any(network.subnet_of(other) for other in kept) for network in wanted)  # type: ignore[arg-type]
        assert not any(a.overlaps(b) for a in kept for b in kept if a is not b)


@given(st.text(max_size=80), st.sampled_from(["tcp", "udp", "sctp"]), ports)
def test_a_service_never_breaks_out_of_its_line(name: str, protocol: str, port: int) -> None:
    rules = RULES.service_rules([{"name": name, "protocol": protocol, "ports": [port]}], [], {})
    assert RULES.firewall_faults(rules) == []
    (line,) = RULES.firewall_lines(rules)
    assert re.fullmatch(rf'{protocol} dport {port} accept comment "[A-Za-z0-9._/-]+"', line)


def test_a_service_does_not_widen_what_has_a_rule_of_its_own() -> None:
    services = [
        {"name": "ssh", "protocol": "tcp", "ports": [22]},
        {"name": "web", "protocol": "tcp", "ports": [22, 80]},
    ]
    assert RULES.service_rules(services, [22], {"web": ["10.0.0.0/8"]}) == [
        {"name": "web", "protocol": "tcp", "ports": [80], "sources": ["10.0.0.0/8"]}
    ]


def test_a_service_of_another_protocol_than_ssh_is_another() -> None:
    services = [{"name": "quic", "protocol": "udp", "ports": [22, 9090]}]
    (rule,) = RULES.service_rules(services, [22, 9090], {})
    assert rule["ports"] == [22, 9090]


def test_a_service_for_no_network_is_open_to_nobody() -> None:
    services = [{"name": name, "protocol": "tcp", "ports": [80]} for name in ("web", "shop")]
    assert [rule["name"] for rule in RULES.service_rules(services, [], {"web": []})] == ["shop"]


@pytest.mark.parametrize(
    ("connection", "address", "port"),
    [
        ("10.0.0.1 50000 10.0.0.2 22", ["10.0.0.1"], [22]),
        ("::ffff:10.0.0.1 50000 ::ffff:10.0.0.2 2222", ["10.0.0.1"], [2222]),
        ("fe80::1%eth0 50000 fe80::2%eth0 22", ["fe80::1"], [22]),
        ("", [], []),
    ],
)
def test_the_address_that_ansible_comes_from(connection: str, address: list[str], port: list[int]) -> None:
    assert RULES.firewall_peer(connection) == {"address": address, "port": port}


def test_a_variable_is_found_in_an_environment() -> None:
    environment = b"A=1\0NOT_SSH_CONNECTION=x\0SSH_CONNECTION=10.0.0.1 5 10.0.0.2 22\0B=2\0"
    assert MODULE.variable_of(environment, "SSH_CONNECTION") == "10.0.0.1 5 10.0.0.2 22"
    assert MODULE.variable_of(b"A=1\0", "SSH_CONNECTION") == ""
