"""Reading a NetBox over HTTP: whole answers, and each way in which one can fail."""

import gzip
import json
import socket
from collections.abc import Iterator

import pytest

from integration.netbox_server import (
    DEVICES,
    MACHINES,
    V1_TOKEN,
    V2_TOKEN,
    Answer,
    NetBoxServer,
    json_answer,
    netbox_server,
    recorded_error,
)
from netbox_modules import client, faults, query, reading, source

KINDS = ("device", "virtual_machine")
ACTIVE = ("active", "staged")


@pytest.fixture
def netbox() -> Iterator[NetBoxServer]:
    with netbox_server() as server:
        yield server


def read(
    netbox: NetBoxServer,
    asked: "query.Query | None" = None,
    *,
    token: str | None = V2_TOKEN,
    page_size: int = 500,
    waits: list[float] | None = None,
    url: str = "",
    **options: object,
) -> "reading.Reading":
    """Read a server, with waits noted instead of slept."""
    endpoint = client.Endpoint(url or netbox.url, token=token, **{"timeout": 5, "retries": 2, **options})
    asking = client.Client(endpoint, pause=(waits if waits is not None else []).append)
    asked_of = source.NetBoxSource(asking, page_size, "rest")
    return asked_of.read(asked or query.Query(KINDS, {}, ACTIVE), faults.Notices())


def named(found: "reading.Reading") -> dict[str, dict[str, object]]:
    return {host.record["name"]: host.record for host in found.hosts}


@pytest.mark.parametrize("token", [V1_TOKEN, V2_TOKEN, f"Token {V1_TOKEN}", f" {V2_TOKEN}\n"])
@pytest.mark.parametrize("suffix", ["", "/", "/api", "/api/"])
def test_both_forms_of_tokens_and_addresses(netbox: NetBoxServer, token: str, suffix: str) -> None:
    found = read(netbox, token=token, url=netbox.url + suffix)
    assert len(found.hosts) == 52
    assert found.netbox_version == "4.6.8"


def test_a_record_has_all_that_netbox_knows(netbox: NetBoxServer) -> None:
    record = named(read(netbox, query.Query(KINDS, {}, ACTIVE, interfaces=True)))["srv-ams1-00000"]
    context = netbox.device(1)["config_context"]
    interfaces = record.pop("interfaces")
    assert record == {
        "type": "device", "id": 1, "name": "srv-ams1-00000", "url": f"{netbox.url}/dcim/devices/1/",
        "status": "active", "class": None, "region": ["eu"], "site_group": ["bare-metal"], "site": "ams1",
        "location": "ams1-hall-2", "rack": "ams1-r01", "position": None, "cluster": None, "tenant": None,
        "role": "web", "platform": "debian-12", "manufacturer": "dell", "model": "PowerEdge R640",
        "serial": "SN00000000", "asset_tag": None, "primary_ip4": "10.16.0.10", "primary_ip6": None,
        "oob_ip": "172.16.0.10", "dns_name": "srv-ams1-00000.lab.example", "tags": ["canary"],
        "custom_fields": {"backup": False, "cost_center": "cc-000", "lifecycle": "build", "patch_window": "sun-00"},
        "config_context": context,
        "services": [
            {"name": "ssh", "protocol": "tcp", "ports": [22]},
            {"name": "node-exporter", "protocol": "tcp", "ports": [9100]},
        ],
        "last_updated": netbox.device(1)["last_updated"],
    }  # fmt: skip
    assert interfaces[0] == {
        "name": "eth0", "type": "10gbase-x-sfpp", "enabled": True, "mgmt_only": False, "mtu": None,
        "mac_address": None, "addresses": ["10.16.0.10/16"],
    }  # fmt: skip


def test_a_virtual_machine_has_its_cluster_and_site(netbox: NetBoxServer) -> None:
    netbox.machine(1)["site"] = None
    record = named(read(netbox))["vm-ams1-00000"]
    assert (record["cluster"], record["site"], record["region"]) == ("cl-ams1", "ams1", ["eu"])
    assert (record["rack"], record["oob_ip"], record["interfaces"]) == (None, None, None)


def test_clusters_of_one_name_are_told_apart(netbox: NetBoxServer) -> None:
    for path in ("/api/virtualization/clusters/",):
        for cluster in netbox.lists[path][:2]:
            cluster["name"] = "prod"
    ids = {cluster["id"]: cluster["scope"]["slug"] for cluster in netbox.lists["/api/virtualization/clusters/"][:2]}
    for machine in netbox.lists[MACHINES]:
        machine["cluster"]["name"] = "prod" if machine["cluster"]["id"] in ids else machine["cluster"]["name"]
    clusters = {record["cluster"] for record in named(read(netbox)).values()}
    assert {f"{slug}-prod" for slug in ids.values()} <= clusters
    assert "prod" not in clusters


def test_regions_are_given_from_the_top(netbox: NetBoxServer) -> None:
    regions = netbox.lists["/api/dcim/regions/"]
    europe = next(region for region in regions if region["slug"] == "eu")
    regions.append({**europe, "id": 90, "slug": "world", "parent": None})
    europe["parent"] = {"id": 90, "slug": "world"}
    assert named(read(netbox))["srv-ams1-00000"]["region"] == ["world", "eu"]


def test_services_of_netbox_before_4_3(netbox: NetBoxServer) -> None:
    for service in netbox.lists["/api/ipam/services/"]:
        service["device"] = {"id": service.pop("parent_object_id")}
        service["virtual_machine"] = service.pop("parent_object_type") and None
    assert named(read(netbox))["srv-ams1-00000"]["services"][0]["name"] == "ssh"


@pytest.mark.parametrize("page_size", [1, 7, 1000])
def test_pages_of_any_size_give_the_same_hosts(netbox: NetBoxServer, page_size: int) -> None:
    assert len(read(netbox, page_size=page_size).hosts) == 52


def test_netbox_may_give_smaller_pages_than_asked_for(netbox: NetBoxServer) -> None:
    netbox.max_page_size = 4
    assert len(read(netbox).hosts) == 52


def test_connections_are_kept_alive(netbox: NetBoxServer) -> None:
    read(netbox, page_size=5)
    assert len(netbox.requests) > 15
    assert netbox.connections <= 8


def test_the_answer_may_be_gzipped(netbox: NetBoxServer) -> None:
    body = gzip.compress(json.dumps(netbox.status).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    netbox.fail("/api/status/", Answer(200, body, headers))
    assert len(read(netbox).hosts) == 52


def test_filters_and_statuses_are_sent(netbox: NetBoxServer) -> None:
    asked = query.Query(KINDS, {"device": [("site", "ams1")], "virtual_machine": [("status", "failed")]}, ACTIVE)
    found = named(read(netbox, asked))
    assert sorted(found) == [
        "srv-ams1-00000", "srv-ams1-00012", "srv-ams1-00024", "vm-dfw1-00006", "vm-lon1-00026",
    ]  # fmt: skip


def test_a_filter_of_the_schema_is_taken_and_an_unknown_one_refused_before_any_host_is_read(
    netbox: NetBoxServer,
) -> None:
    read(netbox, query.Query(KINDS, {"device": [("cf_lifecycle", "run")]}, ACTIVE))
    netbox.requests.clear()
    with pytest.raises(faults.InventoryError, match="nosuchfilter"):
        read(netbox, query.Query(KINDS, {"device": [("nosuchfilter", "1")]}, ACTIVE))
    assert DEVICES not in netbox.paths()


def test_a_host_that_goes_in_mid_read_costs_no_other(netbox: NetBoxServer) -> None:
    def vanish(path: str) -> None:
        if path == DEVICES and len(netbox.lists[DEVICES]) == 30:
            netbox.lists[DEVICES].remove(netbox.device(1))

    netbox.after_page = vanish
    found = named(read(netbox, page_size=5))
    assert len([record for record in found.values() if record["type"] == "device"]) in {25, 26}
    assert "srv-par1-00027" in found


@pytest.mark.parametrize("version", ["4.1.11", "3.7.8", "4.0.0-beta1"])
def test_an_old_netbox_is_refused_with_its_version(netbox: NetBoxServer, version: str) -> None:
    netbox.status["netbox-version"] = version
    with pytest.raises(faults.SourceError, match=f"{version}; 4.2 is the oldest"):
        read(netbox)


@pytest.mark.parametrize("version", ["4.2.0", "4.10.1-Docker-3.0", "5.0.0"])
def test_a_newer_netbox_is_read(netbox: NetBoxServer, version: str) -> None:
    netbox.status["netbox-version"] = version
    assert read(netbox).netbox_version == version


@pytest.mark.parametrize(
    ("token", "detail"),
    [(None, "credentials were not provided"), ("f" * 40, "Invalid v1 token"), ("nbt_A.b", "Invalid v2 token")],
)
def test_a_wrong_token_is_told_and_not_shown(netbox: NetBoxServer, token: str | None, detail: str) -> None:
    with pytest.raises(faults.SourceError, match=detail) as caught:
        read(netbox, token=token)
    assert token is None or token not in str(caught.value)
    assert len(netbox.requests) == 1


HTML = Answer(200, b"<html>Please log in</html>", {"Content-Type": "text/html; charset=utf-8"})
PAGE = {"count": 2, "next": None, "previous": None, "results": [{"id": 1}, {"id": 2}]}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (recorded_error(2), "403 Forbidden: Invalid v2 token"),
        (recorded_error(3), "404 Not Found"),
        (HTML, "text/html, not JSON"),
        (
            Answer(302, b"", {"Location": "https://sso.example.com/login?next=/secret"}),
            "redirect to https://sso.example.com/login",
        ),
        (json_answer({"status": ["Select a valid choice."]}, 400), "400 Bad Request.*Select a valid choice"),
        (json_answer([]), "no page of a list"),
        (json_answer({**PAGE, "count": None}), "no count"),
        (json_answer({**PAGE, "count": "2"}), "no count"),
        (json_answer({**PAGE, "results": None}), "no objects with an id"),
        (json_answer({**PAGE, "results": [{"name": "x"}]}), "no objects with an id"),
        (json_answer({**PAGE, "results": [{"id": 2}, {"id": 1}]}), "not in the order of id"),
        (json_answer({**PAGE, "results": [{"id": 1}, {"id": 1}]}), "not in the order of id"),
        (json_answer({**PAGE, "count": 9, "results": []}), "counts 9 more objects and sent 0"),
        (json_answer({**PAGE, "count": 1}), "counts 1 more objects and sent 2"),
        (json_answer(PAGE), "not the form that was asked for"),
    ],
)
def test_an_answer_that_is_not_whole_and_well_formed_fails_the_read(
    netbox: NetBoxServer, answer: Answer, told: str
) -> None:
    netbox.fail(DEVICES, answer)
    with pytest.raises(faults.SourceError, match=told) as caught:
        read(netbox)
    assert DEVICES.rstrip("/").removeprefix("/api") in str(caught.value)
    assert "secret" not in str(caught.value)
    assert netbox.paths().count(DEVICES) == 1


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (json_answer({"detail": "oops"}, 500), "500 Internal Server Error: oops"),
        (Answer(502, b"<html>", {"Content-Type": "text/html"}), "502 Bad Gateway"),
        (json_answer({}, 429), "429 Too Many Requests"),
        (Answer(200, b'{"count": 1, "results": [{"id"'), "not whole JSON"),
        (Answer(200, json.dumps(PAGE).encode(), cut=20), "cut off after 20 bytes"),
        (Answer(200, b"", {"Content-Type": "application/json"}), "not whole JSON"),
        (Answer(200, b"\x1f\x8bxx", {"Content-Type": "application/json", "Content-Encoding": "gzip"}), "compressed"),
    ],
)
def test_a_failure_that_may_pass_is_tried_again_a_few_times(netbox: NetBoxServer, answer: Answer, told: str) -> None:
    netbox.fail(DEVICES, answer, times=2)
    waits: list[float] = []
    assert len(read(netbox, waits=waits).hosts) == 52
    assert waits == [0.5, 1.0]
    netbox.fail(DEVICES, answer)
    with pytest.raises(faults.SourceError, match=told):
        read(netbox)


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "3600"}, 30.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:27:00 GMT"}, 0.0),
        ({"Retry-After": "Wed, 21 Oct 2099 07:27:00 GMT"}, 30.0),
        ({"Retry-After": "soon"}, 0.5),
        ({}, 0.5),
    ],
)
def test_netbox_says_when_to_come_again(netbox: NetBoxServer, headers: dict[str, str], waited: float) -> None:
    netbox.fail(DEVICES, json_answer({}, 429, **headers), times=1)
    waits: list[float] = []
    read(netbox, waits=waits)
    assert waits == [waited]


def test_a_silent_netbox_is_not_waited_for_without_end(netbox: NetBoxServer) -> None:
    netbox.fail(MACHINES, json_answer(PAGE).__class__(200, b"{}", delay=2))
    with pytest.raises(faults.SourceError, match=r"virtual-machines/: no answer within 0\.2 seconds"):
        read(netbox, timeout=0.2, retries=0)


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = client.Endpoint(f"http://127.0.0.1:{taken.getsockname()[1]}", retries=1)
        with pytest.raises(faults.SourceError, match=r"no connection.*refused"):
            client.Client(endpoint, pause=lambda _seconds: None).get("/api/status/")


def test_a_token_without_the_right_to_one_list_fails_the_read(netbox: NetBoxServer) -> None:
    netbox.fail("/api/ipam/services/", json_answer({"detail": "You do not have permission"}, 403))
    with pytest.raises(faults.SourceError, match=r"services/.*permission.*right to view"):
        read(netbox)


def test_a_count_that_does_not_fit_what_came_fails_the_read(netbox: NetBoxServer) -> None:
    def fewer_than_counted(path: str) -> Answer | None:
        if path != DEVICES:
            return None
        later = "id__gt" in dict(netbox.requests[-1][1])
        return json_answer({"count": 1, "results": [{"id": 3}]} if later else {**PAGE, "count": 9})

    netbox.before = fewer_than_counted
    with pytest.raises(faults.SourceError, match="NetBox counts 9 objects, and 3 came"):
        read(netbox)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("netbox.example.com", "no http or https address"),
        ("ftp://netbox.example.com", "no http or https address"),
        ("https://me:secret@netbox.example.com", "must not hold credentials"),
    ],
)
def test_addresses_that_cannot_be(url: str, told: str) -> None:
    with pytest.raises(faults.InventoryError, match=told) as caught:
        client.Endpoint(url)
    assert "secret" not in str(caught.value)
