"""Dashboards are whole, and Prometheus can read every query in them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

import dashboards
from content.role_content import ROOT, read_yaml

each_file = pytest.mark.parametrize("file", dashboards.FILES, ids=lambda file: file.stem)
BUILT_IN = {"__rate_interval", "__range", "__interval"}


def test_there_are_four() -> None:
    assert {file.stem for file in dashboards.FILES} == {"fleet", "host", "baseline", "drift"}
    assert len({dashboards.read(file)["uid"] for file in dashboards.FILES}) == 4


@each_file
def test_a_dashboard_is_whole(file: Path) -> None:
    document = dashboards.read(file)
    panels = document["panels"]
    assert document["editable"] is False
    assert len({panel["id"] for panel in panels}) == len(panels)
    source = {"type": "prometheus", "uid": "${datasource}"}
    for panel in panels:
        assert panel["title"]
        assert panel["targets"]
        assert all(target["datasource"] == source and target["expr"] for target in panel["targets"]), panel["title"]


@each_file
def test_panels_do_not_overlap(file: Path) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboards.read(file)["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert max(x for x, _ in cells) < 24
        assert not taken & cells, panel["title"]
        taken |= cells


@each_file
def test_variables_are_declared(file: Path) -> None:
    declared = {variable["name"] for variable in dashboards.read(file)["templating"]["list"]}
    for query in dashboards.queries():
        if query.dashboard == file.stem:
            assert query.variables <= declared | BUILT_IN, query.panel


FLEET_WIDE = [
    query for query in dashboards.queries() if query.dashboard != "host" and "this observer" not in query.panel
]


@pytest.mark.parametrize("query", FLEET_WIDE, ids=lambda query: f"{query.dashboard}: {query.panel}")
def test_any_observer_shows_the_whole_fleet_and_each_host_once(query: dashboards.Query) -> None:
    names = set(re.findall(r"\b(?:bedplate|node|probe|up|ALERTS|scrape)[a-z_:0-9]*(?=[{\s)]|$)", query.expression))
    # Other observers hand on what rules have recorded, and no raw series under their own name.
    assert names
    assert all(name.startswith("bedplate:") for name in names), names
    # Two observers of one site have recorded the same: one of them counts.
    assert not re.search(r"\b(?:sum(?: by \([^)]*\))? ?|count)\(bedplate:", query.expression)


def test_prometheus_can_read_every_query(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("promtool is missing; tools/bootstrap tests installs it")
    rules = [
        {"record": f"query:{number}", "expr": query.filled(site=".+", host="a")}
        for number, query in enumerate(dashboards.queries() + dashboards.variable_values())
    ]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")
    done = subprocess.run([promtool, "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_grafana_is_told_where_they_are() -> None:
    provisioning = ROOT / "roles" / "observer" / "files" / "dashboards" / "provisioning"
    (provider,) = read_yaml(provisioning / "dashboards.yml")["providers"]
    assert provider["options"]["path"] == "$BEDPLATE_DASHBOARDS"
    (source,) = read_yaml(provisioning / "datasources.yml")["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "$BEDPLATE_OBSERVER")
