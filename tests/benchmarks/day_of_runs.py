"""A store with a day's worth of runs of the whole catalog, and the pages that come of it: report.html and site/.

Example: python -m tests.benchmarks.day_of_runs /tmp/day
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bedplate.catalog import Product, load_catalog
from bedplate.content import find_content
from bedplate.runs import HostResult, Run, RunMode, RunStatus, new_run_id
from bedplate.settings import Settings
from bedplate.store import open_store

_FLEET = tuple(
    f"{site}-{kind}-{number:02}" for site in ("fra1", "ash1") for kind in ("colo", "cloud") for number in range(1, 9)
)
_PEOPLE = ("kim", "lee", "ada", "bob")
_TEAMS = """\
teams:
  platform: {members: [kim, lee], contact: "#platform", cost_centre: "4711"}
  web: {members: [ada], contact: "#web", cost_centre: "4712"}
  data: {members: [bob], contact: "#data", cost_centre: "4713"}
"""


def record(folder: Path, products: Sequence[Product], now: datetime) -> int:
    """Record the day's runs in a new store, and return how many there are."""
    store = open_store(Settings(folder / "home"))
    chance = random.Random(4)  # noqa: S311 (the same day each time)
    count = 0
    for product in products:
        for run in _runs(product, now, chance):
            store.add(run)
            store.put_host_results(run.id, [_result(host, run, chance) for host in run.hosts])
            count += 1
    store.close()
    return count


def _runs(product: Product, now: datetime, chance: random.Random) -> Iterator[Run]:
    for hour in range(1, 24, chance.choice((2, 3, 5))):
        asked = now - timedelta(hours=hour, minutes=chance.randrange(50))
        began = asked + timedelta(seconds=chance.choice((1, 2, 5, 900)))
        seconds = chance.randrange(20, 600)
        failed = chance.random() < 0.1
        first = chance.randrange(len(_FLEET))
        most = min(product.targets.max_hosts or len(_FLEET), chance.choice((1, 2, 4, 12)))
        yield Run(
            id=new_run_id(asked),
            product=product.name,
            product_title=product.title,
            status=RunStatus.FAILED if failed else RunStatus.SUCCESSFUL,
            mode=RunMode.CHECK if chance.random() < 0.25 else RunMode.APPLY,
            requester=chance.choice(_PEOPLE),
            reason="an ordinary day",
            created_at=asked,
            queued_at=began,
            started_at=began,
            finished_at=began + timedelta(seconds=seconds),
            exit_code=5 if failed else 0,
            hosts=tuple((_FLEET + _FLEET)[first : first + most]),
        )


def _result(host: str, run: Run, chance: random.Random) -> HostResult:
    failed = run.status is RunStatus.FAILED and host == run.hosts[0]
    return HostResult(host, ok=chance.randrange(1, 40), changed=chance.randrange(3), failed=int(failed))


def main(folder: Path) -> None:
    """Record a day, have people say what they think, and write the pages."""
    content = find_content()
    products = load_catalog(content.products).products()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "teams.yml").write_text(_TEAMS, encoding="utf-8")
    print(f"{record(folder, products, datetime.now(UTC))} runs of {len(products)} products")
    environment = {
        **os.environ,
        "BEDPLATE_HOME": str(folder / "home"),
        "BEDPLATE_TEAMS_FILE": str(folder / "teams.yml"),
    }
    for number, product in enumerate(products[:3]):
        _bedplate(environment, "feedback", product.name, str(3 + number % 3), "--comment", "does what it says")
    _bedplate(environment, "product", "report", "--since", "25h", "--html", str(folder / "report.html"))
    _bedplate(environment, "product", "docs", str(folder / "site"))


def _bedplate(environment: dict[str, str], *words: str) -> None:
    subprocess.run([sys.executable, "-m", "bedplate", *words], env=environment, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
