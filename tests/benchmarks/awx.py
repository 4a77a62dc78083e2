"""AWX: how much a plan over 200 products asks, what one changed product costs, and following a job of 100,000 events.

The other side is the fake AWX of the tests, in a process of its own; what it takes itself is in the numbers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from .figures import Figure, compare

sys.path.append(str(Path(__file__).parents[1]))

from fake_awx.catalog import Awx, product
from fake_awx.server import awx_server

PRODUCTS = 200
EVENTS = int(os.environ.get("BENCH_AWX_EVENTS", "100000"))
_LEAST_A_SECOND = 2000
_MOST_MEMORY = 200.0
_WRITES = {"POST", "PATCH", "DELETE"}
_HERE = Path(__file__)


def measure() -> list[Figure]:
    """Return the requests of a plan and of an apply, and the speed and memory of following."""
    return [*_requests(), *_following()]


def _requests() -> list[Figure]:
    with awx_server() as fake:
        awx = Awx(fake)
        products = [product(f"p{number}") for number in range(PRODUCTS)]
        awx.apply(*products)
        fake.requests.clear()
        if awx.lines(*products):
            raise AssertionError("a plan right after an apply has differences")
        asked = [path.partition("?")[0] for path in fake.asked("GET")]
        allowed = sum(max(1, -(-len(_listed(fake.objects, path)) // 100)) for path in set(asked))
        fake.requests.clear()
        awx.apply(*products[1:], product("p0", parameters=[]))
        writes = [path for method, path in fake.requests if method in _WRITES]
    title = f"awx plan over {PRODUCTS} products: requests / one per 100 objects listed"
    note = f"{len(asked)} lists, the most often asked {Counter(asked).most_common(1)[0][1]} times; none per object"
    return [
        Figure(title, "requests", len(asked), allowed, round(len(asked) / allowed, 4), 1.0, 1, note),
        Figure(
            f"awx apply of one changed product among {PRODUCTS}: writes / its template and survey",
            "writes", len(writes), 2, round(len(writes) / 2, 4), 1.0, 1,
        ),
    ]  # fmt: skip


def _listed(objects: dict[str, dict[int, Any]], path: str) -> dict[int, Any]:
    return objects.get(path.removeprefix("/api/v2/").strip("/"), {})


def _following() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="bedplate-bench-") as folder:
        command = [sys.executable, str(_HERE.with_name("awx_server.py")), str(EVENTS)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            url = (server.stdout or sys.stdin).readline().strip()
            follow = [sys.executable, str(_HERE.with_name("awx_following.py")), url, folder]
            done = subprocess.run(follow, capture_output=True, text=True, check=False)
            server.communicate("")
    if done.returncode:
        raise AssertionError(done.stderr)
    found = json.loads(done.stdout)
    if found["events"] != EVENTS:
        raise AssertionError(f"{found['events']} of {EVENTS} events are in the store")
    rate = EVENTS / found["seconds"]
    title = f"following an AWX job of {EVENTS:,} events"
    note = f"{rate:,.0f} events a second, in the store at the end"
    allowed = EVENTS / _LEAST_A_SECOND
    return [
        compare(f"{title} / {_LEAST_A_SECOND} a second", [found["seconds"]], [allowed], limit=1.0, note=note),
        compare(f"{title}: memory / 200 MB", [found["megabytes"]], [_MOST_MEMORY], limit=1.0, unit="MB"),
    ]
