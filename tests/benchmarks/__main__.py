"""`make bench`: every benchmark in turn; the table goes to standard output, the JSON to results.json.

A benchmark is written down as soon as it ends, in the place of its figures of before: one that is stopped, or measured
again by name, takes nothing from the others.
"""

from __future__ import annotations

import sys
from importlib import import_module

from .figures import PAGE, RESULTS, page, record, table

BENCHMARKS = (
    "startup", "inventory", "fleet", "netbox", "nb_inventory", "nb_listing", "nb_warm", "store", "catalog", "tracking",
    "baseline", "guardrails", "awx", "drift",
)  # fmt: skip


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all of them."""
    for name in names or BENCHMARKS:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        figures = import_module(f".{name}", __package__).measure()
        record(name, figures)
        print(table(figures), flush=True)
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"written to {RESULTS} and {PAGE}", file=sys.stderr)


main(sys.argv[1:])
