"""`bedplate product list` over many products, beyond what `bedplate --help` takes; and figures of many runs."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bedplate.catalog import load_catalog
from bedplate.catalog.report import Reporter
from bedplate.figures import Scope
from bedplate.settings import Settings
from bedplate.store import open_figures, upgrade_store

from .big_store import fill
from .figures import Figure, compare, seconds

_PRODUCTS = 200
_RUNS = 10_000
_EVENTS = 20_000
_SAMPLES = 11
_MANIFEST = """\
# yaml-language-server: $schema=../../docs/schemas/product.schema.json
---
name: {name}
title: Product {number}
summary: Does what product {number} does, and says so in one line of usual length.
description: >
  What it does, what it changes, and what it needs, in a paragraph that is about as long as those of our own products
  are, so that reading it takes as long.
owner: {{team: platform, contact: platform@example.com, escalation: "+49 30 1234567"}}
lifecycle: {{stage: beta, since: 2026-11-22}}
sla: {{support_hours: Mon-Fri 09:00-17:00 UTC, response: 4h}}
slo:
  - {{objective: success_ratio, target: 0.99, window: 30d}}
  - {{objective: duration_p95, target: 15m, window: 30d}}
cost: {{amount: 0.5, currency: EUR, per: host}}
roadmap: [{{when: 2027-Q1, what: General availability}}]
tags: [one, two, three]
playbook: playbooks/{name}.yml
targets: {{classes: [bare_metal, colo, cloud], max_percent: 25}}
parameters:
  - {{name: {name}_wait, type: duration, title: Time to wait, default: 10m, min: 1m, max: 1h}}
  - {{name: {name}_reboot, type: choice, title: Whether, choices: [never, if_needed, always], default: if_needed}}
  - {{name: {name}_count, type: integer, title: How many, default: 3, min: 1, max: 10, when: {{{name}_reboot: always}}}}
idempotent: true
"""


def measure() -> list[Figure]:
    """Return the figures; limits: 300 ms beyond `--help` for 200 products, 1 s for a report over 10,000 runs."""
    with tempfile.TemporaryDirectory(prefix="bedplate-catalog-") as folder:
        root = Path(folder)
        make(root)
        return [_listing(root), _report(root)]


def make(root: Path) -> None:
    """Make content with many products."""
    (root / "playbooks/products").mkdir(parents=True)
    (root / "galaxy.yml").write_text("namespace: bedplate\n", encoding="utf-8")
    for number in range(_PRODUCTS):
        name = f"product_{number:03}"
        text = _MANIFEST.format(name=name, number=number)
        (root / "playbooks/products" / f"{name}.yml").write_text(text, encoding="utf-8")


def _listing(root: Path) -> Figure:
    bedplate = str(Path(sys.executable).with_name("bedplate"))
    env = {**os.environ, "BEDPLATE_CONTENT_PATH": str(root), "BEDPLATE_HOME": str(root / "home")}
    listing = [bedplate, "product", "list"]
    seconds(listing, env)
    beyond = [seconds(listing, env) - seconds([bedplate, "--help"], env) for _ in range(_SAMPLES)]
    name = f"product list over {_PRODUCTS} products, beyond --help / 300 ms"
    return compare(name, beyond, [0.3] * _SAMPLES, limit=1.0)


def _report(root: Path) -> Figure:
    settings = Settings(home=root / "home")
    upgrade_store(settings)
    fill(settings, _RUNS, _EVENTS)
    products = load_catalog(root / "playbooks/products").products()
    figures = open_figures(settings)
    scope = Scope(datetime(2000, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=3650))
    times = []
    for _ in range(_SAMPLES):
        begun = time.perf_counter()
        Reporter(figures, scope).reports(products)
        times.append(time.perf_counter() - begun)
    figures.close()
    note = f"{len(products)} products, median {statistics.median(times):.2f} s"
    return compare(f"figures of {_RUNS:,} runs / 1 s", times, [1.0] * _SAMPLES, limit=1.0, note=note)
