"""Which observer watches which host."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

_SOURCE = Path(__file__).resolve().parents[2] / "plugins" / "plugin_utils" / "observers.py"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bedplate_observers", _SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


observers = _load()


def host(site: str | None, *regions: str, **more: Any) -> dict[str, Any]:
    domain = [f"region_{region}" for region in regions] + ([f"site_{site}"] if site else [])
    return {
        "bedplate_site": site,
        "bedplate_region": regions[-1] if regions else None,
        "bedplate_failure_domain": domain,
        **more,
    }


FLEET = {
    "fra1-obs": host("fra1", "emea", "de"),
    "fra1-obs-b": host("fra1", "emea", "de"),
    "par1-obs": host("par1", "emea", "fr"),
    "ash1-obs": host("ash1", "amer"),
    "fra1-a": host("fra1", "emea", "de"),
    "ber1-a": host("ber1", "emea", "de"),
    "lon1-a": host("lon1", "emea", "uk"),
    "dal1-a": host("dal1", "amer"),
    "sin1-a": host("sin1", "apac"),
    "nowhere": host(None),
}
OBSERVERS = ["par1-obs", "fra1-obs-b", "ash1-obs", "fra1-obs"]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("fra1-a", ["fra1-obs", "fra1-obs-b"]),
        ("fra1-obs", ["fra1-obs", "fra1-obs-b"]),
        ("ber1-a", ["fra1-obs", "fra1-obs-b"]),
        ("lon1-a", ["fra1-obs", "fra1-obs-b", "par1-obs"]),
        ("dal1-a", ["ash1-obs"]),
        ("sin1-a", sorted(OBSERVERS)),
        ("nowhere", sorted(OBSERVERS)),
    ],
)
def test_own_site_then_deepest_region_then_any(name: str, nearest: list[str]) -> None:
    assert observers.nearest_observers(name, FLEET, OBSERVERS) == nearest


def test_without_observers_there_is_no_nearest() -> None:
    assert observers.nearest_observers("fra1-a", FLEET, []) == []


def test_an_observer_takes_its_site_and_who_has_no_nearer_one() -> None:
    assert observers.observed_hosts(FLEET, FLEET, OBSERVERS, "ash1-obs") == ["ash1-obs", "dal1-a", "nowhere", "sin1-a"]
    assert observers.observed_hosts(FLEET, FLEET, ["ash1-obs"], "ash1-obs") == sorted(FLEET)


def test_a_region_counts_without_a_failure_domain() -> None:
    fleet = {"obs": {"bedplate_region": "emea"}, "far": {"bedplate_region": "amer"}, "a": {"bedplate_region": "emea"}}
    assert observers.nearest_observers("a", fleet, ["obs", "far"]) == ["obs"]


def test_targets_carry_labels_and_leave_out_what_is_not_known() -> None:
    fleet = {
        "b": host("fra1", "emea", "de", ansible_host="192.0.2.7", bedplate_class="colo", bedplate_tenant=None),
        "a": {"ansible_host": "2001:db8::1", "metrics_listen_port": 9200},
        "c.example": {},
    }
    assert observers.scrape_targets(fleet, fleet, 9100) == [
        {"targets": ["[2001:db8::1]:9200"], "labels": {"host": "a"}},
        {
            "targets": ["192.0.2.7:9100"],
            "labels": {"host": "b", "site": "fra1", "region": "de", "class": "colo"},
        },
        {"targets": ["c.example:9100"], "labels": {"host": "c.example"}},
    ]


def test_senders_are_known_by_every_address_that_is_theirs_alone() -> None:
    fleet = {
        "a": {"ansible_host": "192.0.2.1", "bedplate_primary_ip4": "192.0.2.11", "bedplate_primary_ip6": None},
        "b": {"ansible_host": "b.example", "bedplate_primary_ip6": "2001:0db8::0002"},
        "c": {"ansible_host": "192.0.2.3"},
        "d": {"ansible_host": "192.0.2.3"},
    }
    assert observers.sender_names(fleet, fleet) == [
        {"index": "192.0.2.1", "value": "a"},
        {"index": "192.0.2.11", "value": "a"},
        {"index": "2001:db8::2", "value": "b"},
    ]


def test_an_address_of_several_hosts_is_one_of_theirs() -> None:
    fleet = {
        "a": {"ansible_host": "192.0.2.3", "bedplate_primary_ip6": "2001:0db8::0002"},
        "b": {"ansible_host": "192.0.2.3"},
        "c": {"ansible_host": "c.example"},
    }
    assert observers.host_addresses(fleet, fleet) == ["192.0.2.3", "2001:db8::2"]


_PLACES = st.builds(
    host, st.sampled_from([None, "s1", "s2", "s3"]), st.sampled_from(["emea", "amer"]), st.sampled_from(["x", "y"])
)


@given(st.dictionaries(st.sampled_from("abcdefgh"), _PLACES, min_size=1), st.data())
def test_every_host_is_observed_if_there_is_an_observer(fleet: dict[str, Any], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(sorted(fleet)), min_size=1, unique=True))
    seen = [name for observer in chosen for name in observers.observed_hosts(fleet, fleet, chosen, observer)]
    assert set(seen) == set(fleet)


@pytest.mark.parametrize(
    ("off", "observed"),
    [
        ({"bedplate_tags": ["skip-metrics"]}, False),
        ({"metrics_enabled": False}, False),
        ({"metrics_enabled": "no"}, False),
        ({"bedplate_tags": ["skip-metrics"], "metrics_enabled": True}, True),
        ({"bedplate_tags": ["skip-logging"]}, True),
    ],
)
def test_a_host_without_an_exporter_is_no_target(off: dict[str, Any], observed: bool) -> None:
    assert bool(observers.scrape_targets(["a"], {"a": off}, 9100)) is observed


def test_a_host_without_a_certificate_is_scraped_without_encryption() -> None:
    found = observers.scrape_targets(["a", "b"], {"a": {"bedplate_tags": ["skip-certificates"]}, "b": {}}, 9100)
    assert [target["labels"] for target in found] == [{"host": "a", "__scheme__": "http"}, {"host": "b"}]


def test_an_observer_whose_role_is_off_is_nobodys() -> None:
    fleet = {**FLEET, "fra1-obs": {**FLEET["fra1-obs"], "bedplate_tags": ["skip-observer"]}}
    assert observers.nearest_observers("fra1-a", fleet, OBSERVERS) == ["fra1-obs-b"]


def test_each_host_is_a_target_of_each_probe_that_its_roles_allow() -> None:
    probes = [
        {"name": "ssh", "port": 22, "port_variable": "ansible_port"},
        {"name": "icmp"},
        {"name": "metrics", "port": 9100, "roles": ["metrics", "certificates"]},
    ]
    fleet = {
        "a": {"ansible_host": "192.0.2.1", "ansible_port": 2222, "bedplate_site": "fra1"},
        "b": {"ansible_host": "2001:db8::1", "certificates_enabled": False},
    }
    found = observers.probe_targets(["b", "a"], fleet, probes)
    assert [target["targets"][0] for target in found] == [
        "192.0.2.1:2222", "192.0.2.1", "192.0.2.1:9100", "[2001:db8::1]:22", "2001:db8::1",
    ]  # fmt: skip
    assert found[0]["labels"] == {"host": "a", "site": "fra1", "probe": "ssh", "__param_module": "ssh"}


def test_peers_are_named_and_reached_at_their_own_port() -> None:
    fleet = {
        "x": {"ansible_host": "192.0.2.1", "observer_listen_port": 9091},
        "y": {},
        "z": {"observer_enabled": False},
    }
    assert observers.peer_targets(["z", "y", "x"], fleet, 9090) == [
        {"targets": ["192.0.2.1:9091"], "labels": {"instance": "x"}},
        {"targets": ["y:9090"], "labels": {"instance": "y"}},
    ]


def test_a_certificate_has_each_name_and_address_of_the_host() -> None:
    fleet = {
        "web1": {"ansible_host": "web1.example.com", "bedplate_primary_ip4": "192.0.2.1"},
        "obs1": {"ansible_host": "2001:DB8:0::1"},
        "odd name": {"ansible_host": "192.0.2.3"},
    }
    assert observers.certificate_names("web1", fleet, ["obs1"]) == ["DNS:web1", "DNS:web1.example.com", "IP:192.0.2.1"]
    assert observers.certificate_names("obs1", fleet, ["obs1"]) == [
        "DNS:localhost", "DNS:obs1", "IP:127.0.0.1", "IP:2001:db8::1", "IP:::1",
    ]  # fmt: skip
    assert observers.certificate_names("odd name", fleet, []) == ["IP:192.0.2.3"]


@pytest.mark.parametrize(
    ("name", "more", "receiver"),
    [
        ("fra1-a", {}, "fra1-obs"),
        ("fra1-obs", {}, "fra1-obs"),
        ("fra1-obs-b", {}, "fra1-obs-b"),  # not the first of its site, and keeps its own all the same
        ("fra1-a", {"bedplate_tags": ["skip-logging"]}, ""),
        ("fra1-a", {"logging_enabled": False}, ""),
        ("fra1-a", {"logging_forward": "no"}, ""),
        ("fra1-a", {"logging_receivers": [{"address": "192.0.2.9"}]}, ""),
        ("fra1-a", {"logging_receivers": []}, "fra1-obs"),
        ("fra1-a", {"certificates_enabled": False}, ""),
    ],
)
def test_logs_go_to_one_receiver_at_most(name: str, more: dict[str, Any], receiver: str) -> None:
    fleet = {**FLEET, name: {**FLEET[name], **more}}
    assert observers.log_receiver(name, fleet, OBSERVERS) == receiver
    senders = observers.log_senders(fleet, fleet, OBSERVERS, "fra1-obs")
    assert (name in senders) is (receiver == "fra1-obs")
    assert set(senders) <= {"fra1-obs", "fra1-a", "ber1-a", "lon1-a"}


def test_a_fleet_without_certificates_sends_its_logs_all_the_same() -> None:
    fleet = {name: {**variables, "certificates_enabled": False} for name, variables in FLEET.items()}
    assert observers.log_receiver("fra1-a", fleet, OBSERVERS) == "fra1-obs"
    assert observers.log_receiver("fra1-a", fleet, []) == ""
