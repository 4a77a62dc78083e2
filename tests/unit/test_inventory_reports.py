"""The faults of an inventory as JUnit, and its groups as a drawing."""
# ruff: noqa: S314 (what is parsed here was made here)

from __future__ import annotations

import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from bedplate.execution.inventory_cache import GroupNames, InventoryNames
from bedplate.fleet import Fault, FaultLevel
from bedplate.reports.inventory_junit import junit
from bedplate.reports.inventory_svg import draw

ERROR = Fault("web01", "web", "no_address", FaultLevel.ERROR, "no <primary> address", "set it")
WARNING = Fault("web02", "web", "no_rack", FaultLevel.WARNING, "no rack", "put it in a rack")
SVG = "{http://www.w3.org/2000/svg}"


def test_each_host_is_a_case_in_the_suite_of_its_owner() -> None:
    root = ET.fromstring(junit({"web01": "web", "web02": "web", "db01": None}, [ERROR, WARNING]))
    counts = [(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in root]
    assert counts == [("no owner", "1", "0"), ("web", "2", "1")]
    assert [case.get("name") for case in root.iter("testcase")] == ["db01", "web01", "web02"]
    assert [failure.get("message") for failure in root.iter("failure")] == ["no <primary> address"]
    assert [told.text for told in root.iter("system-out")] == ["warning: no rack (put it in a rack)"]


def test_strict_fails_warnings_too() -> None:
    root = ET.fromstring(junit({"web01": "web", "web02": "web"}, [ERROR, WARNING], strict=True))
    assert len(list(root.iter("failure"))) == 2


@given(st.text())
def test_any_text_of_netbox_makes_a_well_formed_report(text: str) -> None:
    fault = Fault(text, text, "bad_name", FaultLevel.ERROR, text, text)
    assert len(list(ET.fromstring(junit({text: text}, [fault])).iter("failure"))) == 1


def _names() -> InventoryNames:
    many = tuple(f"h{number:02}" for number in range(40))
    return InventoryNames(
        (*many, "web01"),
        {
            "all": GroupNames((), ("region_emea", "role_web", "ungrouped")),
            "region_emea": GroupNames((), ("site_fra1",)),
            "site_fra1": GroupNames(many, ()),
            "role_web": GroupNames(("web01",), ("site_fra1",)),
            "ungrouped": GroupNames(),
        },
    )


def test_the_drawing_has_each_group_once_and_few_hosts_by_name() -> None:
    svg = ET.fromstring(draw(_names()))
    texts = [text.text for text in svg.iter(f"{SVG}text")]
    assert texts.count("site_fra1") == 1
    assert "site_fra1, as above" in texts
    assert "40 hosts" in texts
    assert "web01" in texts
    assert "h01" not in texts


def test_the_drawing_fits_and_needs_nothing_else() -> None:
    text = draw(_names(), "region_emea")
    svg = ET.fromstring(text)
    width = float(svg.get("width") or 0)
    assert all(float(box.get("x") or 0) + float(box.get("width") or 0) < width for box in svg.iter(f"{SVG}rect"))
    assert "href" not in text
    assert "role_web" not in text
    lines = len(list(svg.iter(f"{SVG}path")))
    assert lines == len(list(svg.iter(f"{SVG}rect"))) - 1
