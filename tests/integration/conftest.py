"""What integration tests share: a lab of their own, made once a session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.netbox_records import NetBox, serving
from lab_fleet import LabFleet, require_lab


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the lab, so that `-m 'not lab'` leaves it out; what wants the baseline there comes last."""
    for item in items:
        if "lab" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.lab)
    items.sort(key=lambda item: "baselined" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabFleet]:
    """The default fleet on a subnet of its own, shared by all tests of the session.

    Tests change hosts: one that needs an untouched host asks for it with `lab.recreate(name)`.
    """
    require_lab()
    fleet = LabFleet(tmp_path_factory.mktemp("lab") / "home")
    try:
        fleet.bedplate("lab", "up", "--subnet", "auto", timeout=1800)
        yield fleet
    finally:
        fleet.bedplate("lab", "down", check=False)


@pytest.fixture(scope="module")
def baselined(lab: LabFleet) -> LabFleet:
    """The lab with all hosts at one baseline, made anew: what other tests did to them would be found, too."""
    if not (lab.home / "baselined").exists():
        lab.recreate(*lab.hosts)
        lab.bedplate("run", "baseline", timeout=1800)
        (lab.home / "baselined").touch()
    return lab


@pytest.fixture
def netbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[NetBox]]:
    """A NetBox of one record, which the environment names."""
    with serving({"id": 1, "name": "host", "status": {"value": "staged", "label": "Staged"}}) as handler:
        monkeypatch.setenv("NETBOX_URL", handler.address)
        monkeypatch.setenv("NETBOX_TOKEN", handler.token)
        yield handler
