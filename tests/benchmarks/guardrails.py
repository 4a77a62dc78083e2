"""Guardrails of a run over 10,000 hosts, every rule in use; the inventory's own load is told apart."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import yaml

from bedplate.content import Content, find_content
from bedplate.execution.executor import RunEnd
from bedplate.guardrails import refusals
from bedplate.launch import Launcher, LaunchRequest
from bedplate.launch.guarding import claim_of
from bedplate.settings import GuardrailSettings, Settings, TeamsSettings
from bedplate.store import open_store

from .figures import Figure, compare
from .fleet_snapshot import write_fleet

HOSTS = 10_000
_SAMPLES = 5
_LIMIT_SECONDS = 2.0
_ROOT = Path(__file__).parents[2]
_WINDOWS = ("always", "00:00-24:00", "mon-sun 00:00-24:00 Europe/Berlin", "00:00-12:00; 12:00-24:00 America/New_York")
_POLICY = 'permit (principal, action, resource) when { context.hosts.contains("nothing") || context.host_count > 1 };'
_PLAYBOOK = """- name: Nothing
  hosts: "{{ bedplate_hosts | default('all') }}"
  serial: "{{ bedplate_batches | default(['100%']) }}"
  max_fail_percentage: "{{ bedplate_max_fail_percent | default(100) }}"
  tasks: []
"""
_PRODUCT = {
    "name": "guarded",
    "title": "Guarded",
    "summary": "Every guardrail.",
    "owner": {"team": "platform", "contact": "platform@example.com"},
    "lifecycle": {"stage": "ga", "sunset": "2999-01-01"},
    "playbook": "playbooks/guarded.yml",
    "targets": {"classes": ["colo", "cloud", "bare_metal"], "force_limit": "all", "max_hosts": HOSTS},
    "access": {"run": ["all"]},
    "guardrails": {
        "concurrency": 1, "freeze": ["company"], "window": {"custom_field": "maintenance"}, "canary": 1,
        "serial_by": "rack", "max_fail_percent": 5,
    },
}  # fmt: skip


def measure() -> list[Figure]:
    """Return what guardrails cost; limit: 2 s, from the order to the locks."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        content, settings, fleet = _content(folder / "content"), _settings(folder), _fleet(folder / "fleet")
        loads, costs = [], []
        for number in range(_SAMPLES):
            own = replace(settings, home=folder / f"home-{number}")
            launcher = Launcher(content, own, fleet, open_store(own), dict.fromkeys(RunEnd, 0))
            loads.append(_load(launcher))
            costs.append(_cost(launcher))
    title = f"guardrails of a run over {HOSTS:,} hosts"
    return [
        compare(f"{title} / 2 s", costs, [_LIMIT_SECONDS] * _SAMPLES, limit=1.0, note="every rule, with the locks"),
        compare(f"{title}: the inventory's own load, cold / them", loads, costs, limit=None),
    ]


def _load(launcher: Launcher) -> float:
    """Return how long the inventory takes to say what the guardrails ask it."""
    begun = time.perf_counter()
    adapter = launcher.adapter
    _ = adapter.resolve(None), adapter.resolve("all"), adapter.names, adapter.records
    return time.perf_counter() - begun


def _cost(launcher: Launcher) -> float:
    begun = time.perf_counter()
    prepared = launcher.judge(LaunchRequest("guarded"))
    judged = time.perf_counter() - begun
    if refusals(prepared.verdicts) or prepared.order is None or len(prepared.run.hosts) != HOSTS:
        raise AssertionError(prepared.verdicts)
    launcher.store.add(prepared.run)
    begun = time.perf_counter()
    taken = launcher.ledger.take(claim_of(prepared.run, prepared.order.limits))
    if taken:
        raise AssertionError(taken)
    return judged + time.perf_counter() - begun


def _content(root: Path) -> Content:
    (root / "playbooks" / "products").mkdir(parents=True)
    for name in ("galaxy.yml", "plugins", "roles"):
        (root / name).symlink_to(_ROOT / name)
    space = root / "collections" / "ansible_collections" / "bedplate"
    space.mkdir(parents=True)
    (space / "datacenter").symlink_to(root)
    (root / "playbooks" / "guarded.yml").write_text(_PLAYBOOK)
    (root / "playbooks" / "products" / "guarded.yml").write_text(yaml.safe_dump(_PRODUCT))
    return find_content(root)


def _settings(folder: Path) -> Settings:
    for name in ("calendars", "policies"):
        (folder / name).mkdir()
    freezes = [{"name": "past", "from": f"2020-01-{day:02}", "to": f"2020-01-{day:02}"} for day in range(1, 29)]
    (folder / "calendars" / "company.yml").write_text(yaml.safe_dump({"freezes": freezes}))
    (folder / "policies" / "own.cedar").write_text(_POLICY)
    members = {f"team-{n}": {"members": [f"person-{n}-{m}" for m in range(20)]} for n in range(50)}
    (folder / "teams.yml").write_text(yaml.safe_dump({"teams": members}))
    guardrails = GuardrailSettings(calendars=str(folder / "calendars"), policies=str(folder / "policies"))
    return Settings(folder, teams=TeamsSettings(str(folder / "teams.yml")), guardrails=guardrails)


def _fleet(folder: Path) -> Path:
    fleet = write_fleet(folder, HOSTS)
    file = fleet / ".snapshot.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    for number, record in enumerate(document["hosts"].values()):
        record["custom_fields"] = {**record.get("custom_fields", {}), "maintenance": _WINDOWS[number % len(_WINDOWS)]}
    file.write_text(json.dumps(document), encoding="utf-8")
    return fleet
