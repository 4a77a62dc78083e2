"""AWX against the catalog as findings: whose they are, why they are, and that they come to an end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bedplate.awx.credential import TOKEN as TOKEN_VARIABLE
from bedplate.drift.finding import Cause, Finding, FindingQuery, FindingState
from bedplate.drift.repository import DriftRepository
from bedplate.settings import Settings
from bedplate.store import open_drift
from bedplate.watch.awx_check import AwxCheck
from fake_awx.catalog import Awx, product
from fake_awx.server import TOKEN, awx_server

AT = datetime(2026, 11, 25, 3, tzinfo=UTC)


@pytest.fixture
def drift(tmp_path: Path) -> Iterator[DriftRepository]:
    repository = open_drift(Settings(home=tmp_path))
    yield repository
    repository.close()


@pytest.fixture
def awx(monkeypatch: pytest.MonkeyPatch) -> Iterator[Awx]:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    with awx_server() as fake:
        awx = Awx(fake)
        awx.furnish()
        yield awx


def night(awx: Awx, drift: DriftRepository, number: int, *products: str) -> list[Finding]:
    """Check AWX and return what is kept of it."""
    check = AwxCheck(awx.settings, [product(name) for name in products], drift)
    check.check(f"n{number}", "kim", AT + timedelta(days=number))
    return drift.find(FindingQuery(product="awx"))


def test_what_somebody_changed_there_is_theirs_until_it_is_set_back(awx: Awx, drift: DriftRepository) -> None:
    awx.apply(product())
    assert night(awx, drift, 0, "sample") == []
    (template,) = awx.fake.objects["job_templates"].values()
    before = template["forks"]
    awx.fake.edit("job_templates", template["id"], by="eve", forks=99)
    (found,) = night(awx, drift, 1, "sample")
    seen = found.observed
    assert (seen.host, seen.kind, seen.key, seen.attribute) == (
        awx.settings.url.split("/")[2], "record", "job template sample", "forks"
    )  # fmt: skip
    assert (found.cause, found.owner, found.state) == (Cause.CORRECTIVE, "platform", FindingState.NEW)
    assert found.by is not None
    assert (found.by.user, found.by.source) == ("eve", "awx")
    (again,) = night(awx, drift, 2, "sample")
    assert (again.state, again.times_seen, again.cause) == (FindingState.OPEN, 2, Cause.CORRECTIVE)
    awx.fake.edit("job_templates", template["id"], by="eve", forks=before)
    (gone,) = night(awx, drift, 3, "sample")
    assert gone.state is FindingState.RESOLVED


def test_what_the_catalog_changed_is_its_own(awx: Awx, drift: DriftRepository) -> None:
    awx.apply(product())
    found = {one.observed.key: one for one in night(awx, drift, 0, "sample", "other")}
    missing = found["job template other"]
    assert (missing.observed.attribute, missing.observed.after, missing.by) == ("presence", "absent", None)
    left = {one.observed.key: one for one in night(awx, drift, 1, "other")}
    assert left["job template sample"].observed.before == "absent"


def test_a_check_that_was_kept_is_not_kept_twice(awx: Awx, drift: DriftRepository) -> None:
    first = night(awx, drift, 0, "sample")
    assert first
    assert night(awx, drift, 0, "sample") == first
