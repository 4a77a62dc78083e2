"""Prefixes beside a snapshot: read when they changed, and not else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.netbox_server import PREFIXES, V2_TOKEN, NetBoxServer, json_answer, netbox_server
from netbox_modules import client, faults, prefixes

SITES = "/api/dcim/sites/"
LONG_AGO = "2026-01-01T00:00:00Z"
Change = Callable[[NetBoxServer], None]


@pytest.fixture
def netbox() -> Iterator[NetBoxServer]:
    with netbox_server() as server:
        scope = {"id": 1, "slug": "ams1", "url": "http://netbox/api/dcim/sites/1/"}
        rows = [
            ("10.0.0.0/8", None, None),
            ("10.16.0.0/16", "dcim.site", scope),
            ("10.17.0.0/16", "dcim.region", scope),
        ]
        server.lists[PREFIXES] = [
            {"id": number, "prefix": prefix, "scope_type": of, "scope": one, "last_updated": LONG_AGO}
            for number, (prefix, of, one) in enumerate(rows, 1)
        ]
        yield server


def of(netbox: NetBoxServer, folder: Path) -> prefixes.Prefixes:
    endpoint = client.Endpoint(netbox.url, token=V2_TOKEN, retries=0)
    return prefixes.Prefixes(client.Client(endpoint), 500, str(folder / "s.json"))


def kept(folder: Path) -> list[dict[str, Any]]:
    file = folder / "s.json.prefixes"
    assert file.stat().st_mode & 0o777 == 0o600
    found: list[dict[str, Any]] = json.loads(file.read_bytes())["prefixes"]
    return found


def test_what_netbox_says_of_them_is_kept(netbox: NetBoxServer, tmp_path: Path) -> None:
    assert of(netbox, tmp_path).renew()
    assert [(one["prefix"], one["scope"]) for one in kept(tmp_path)] == [
        ("10.0.0.0/8", None), ("10.16.0.0/16", {"slug": "ams1"}), ("10.17.0.0/16", None),
    ]  # fmt: skip
    netbox.requests.clear()
    assert not of(netbox, tmp_path).renew()
    assert len(netbox.requests) == 4
    assert all(dict(asked)["limit"] == "1" for _path, asked, _headers in netbox.requests)


def change(netbox: NetBoxServer) -> None:
    netbox.change(PREFIXES, 1, prefix="10.0.0.0/9")


def add(netbox: NetBoxServer) -> None:
    netbox.lists[PREFIXES].append({**netbox.lists[PREFIXES][0], "id": 9, "prefix": "192.0.2.0/24"})


def delete(netbox: NetBoxServer) -> None:
    netbox.lists[PREFIXES].pop()


def rename_site(netbox: NetBoxServer) -> None:
    netbox.lists[PREFIXES][1]["scope"]["slug"] = "ams9"
    netbox.change(SITES, 1, slug="ams9")


@pytest.mark.parametrize("do", [change, add, delete, rename_site])
def test_a_change_is_read(netbox: NetBoxServer, tmp_path: Path, do: Change) -> None:
    of(netbox, tmp_path).renew()
    before = kept(tmp_path)
    do(netbox)
    assert of(netbox, tmp_path).renew()
    assert kept(tmp_path) != before


@pytest.mark.parametrize("content", ["", "[]", '{"schema": 1, "source": "https://another.example.com", "counts": {}}'])
def test_another_file_is_written_anew(netbox: NetBoxServer, tmp_path: Path, content: str) -> None:
    (tmp_path / "s.json.prefixes").write_text(content)
    assert of(netbox, tmp_path).renew()
    assert len(kept(tmp_path)) == 3


def test_hosts_do_not_depend_on_them(netbox: NetBoxServer, tmp_path: Path) -> None:
    of(netbox, tmp_path).renew()
    before = kept(tmp_path)
    netbox.lists[PREFIXES][0].update(prefix=7, last_updated="2099-01-01T00:00:00Z")
    with pytest.raises(faults.SourceError, match="has not its form"):
        of(netbox, tmp_path).renew()
    netbox.fail(PREFIXES, json_answer({"detail": "no permission"}, 403))
    (told,) = prefixes.renewed(of(netbox, tmp_path))
    assert "the prefixes are not those of now" in told
    assert "no permission" in told
    assert kept(tmp_path) == before
