"""Runs a product on the AWX at an address, and says how long it took, in what memory, and what is in the store."""

from __future__ import annotations

import json
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from bedplate.awx.executor import AwxExecutor
from bedplate.content import find_content
from bedplate.execution.executor import RunEnd
from bedplate.launch import Launcher, PreparedRun
from bedplate.runs import AWX, EventQuery, Run, RunMode, RunStatus, new_run_id
from bedplate.settings import AwxSettings, Settings
from bedplate.store import open_engine_runs, open_store
from fake_awx.server import TOKEN

_ROOT = Path(__file__).parents[2]


def main() -> None:
    url, folder = sys.argv[1], Path(sys.argv[2])
    settings = Settings(folder / "home", awx=AwxSettings(url=url))
    store = open_store(settings)
    now = datetime.now(UTC)
    run = Run(
        id=new_run_id(), product="sample", status=RunStatus.QUEUED, mode=RunMode.APPLY, requester="bench",
        created_at=now, hosts=[f"host-{number}" for number in range(500)], engine=AWX, folder=folder / "run",
    )  # fmt: skip
    store.add(run)
    executor = AwxExecutor(settings.awx, open_engine_runs(settings), lambda _: None, env={"BEDPLATE_AWX_TOKEN": TOKEN})
    content = find_content(_ROOT)
    launcher = Launcher(content, settings, _ROOT / "inventories" / "lab", store, dict.fromkeys(RunEnd, 0), executor)
    begun = time.perf_counter()
    launcher.execute(PreparedRun(run, "bedplate.datacenter.sample", limit="all"))
    seconds = time.perf_counter() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    kept = sum(1 for _ in store.events(run.id, EventQuery()))
    print(json.dumps({"seconds": seconds, "megabytes": memory, "events": kept}))


main()
