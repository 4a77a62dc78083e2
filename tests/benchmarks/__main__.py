"""`make bench`: every benchmark in turn; the table goes to standard output, the JSON to results.json."""

from __future__ import annotations

import sys
from importlib import import_module

from .figures import RESULTS, Figure, table, write

BENCHMARKS = (
    "startup", "inventory", "fleet", "netbox", "nb_inventory", "store", "catalog", "tracking", "baseline", "guardrails",
    "drift",
)  # fmt: skip


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all of them."""
    figures: list[Figure] = []
    for name in names or BENCHMARKS:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        figures += import_module(f".{name}", __package__).measure()
    if not names:
        write(figures)
        print(f"written to {RESULTS}", file=sys.stderr)
    print(table(figures))


main(sys.argv[1:])
