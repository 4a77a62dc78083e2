"""20,000 hosts into Ansible with groups for everything and expressions, and the start of a run over 50 of them.

What takes long is measured in seconds of CPU, against a budget: the machine that measures has other work too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bedplate.content import find_content
from bedplate.execution.inventory import InventoryAdapter
from bedplate.execution.inventory_frozen import Context, freeze
from bedplate.settings import load_settings

from .figures import Figure, compare
from .fleet_snapshot import fleet_document, write_fleet

HOSTS = 20_000
RUN_HOSTS = 50
_SAMPLES = 3
_BUDGET_SECONDS = 5.0
_BUDGET_MEMORY = 350.0
_LOOKUP_SECONDS = 0.5
_OWN_SHARE = 1.2
_ROOT = Path(__file__).parents[2]
_BIN = Path(sys.executable).parent
_EXPRESSIONS = """\
compose:
  ansible_user: "'root' if bedplate_role == 'db' else 'admin'"
  fqdn: inventory_hostname ~ '.example.com'
  window: bedplate_custom_fields.patch_window | default('none')
groups:
  databases: bedplate_role == 'db'
  staged_web: bedplate_status == 'staged' and bedplate_role == 'web'
  pci: "'pci' in bedplate_tags"
keyed_groups:
  - {key: bedplate_custom_fields.patch_window, prefix: patch}
  - {key: bedplate_custom_fields.lifecycle, prefix: lifecycle}
  - {key: bedplate_tags, prefix: marked}
"""
_PLAYBOOK = "- {hosts: all, gather_facts: false, tasks: [{name: Nothing, ansible.builtin.meta: noop}]}\n"


def measure() -> list[Figure]:
    """Return the figures of a large fleet and of the runs over a part of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fleet = _constructed(folder / "fleet", HOSTS)
        return [*_hosts(fleet), *_listing(folder, fleet), *_runs(folder, fleet), *_lookups(folder, fleet)]


def _constructed(folder: Path, count: int) -> Path:
    write_fleet(folder, count)
    source = folder / "netbox.yml"
    source.write_text(source.read_text(encoding="utf-8") + _EXPRESSIONS, encoding="utf-8")
    return folder


def _hosts(fleet: Path) -> list[Figure]:
    samples = [_cost([str(_BIN / "ansible"), "all", "--list-hosts", "-i", str(fleet)]) for _ in range(_SAMPLES)]
    name = f"ansible all --list-hosts, {HOSTS:,} hosts, 9 expressions"
    times, peaks = ([sample[part] for sample in samples] for part in (0, 1))
    budgets = ([budget] * _SAMPLES for budget in (_BUDGET_SECONDS, _BUDGET_MEMORY))
    return [
        compare(f"{name}: CPU / budget", times, next(budgets), limit=1.0),
        compare(f"{name}: memory / budget", peaks, next(budgets), limit=1.0, unit="MB"),
    ]


def _listing(folder: Path, fleet: Path) -> list[Figure]:
    """Return what listing all takes, against what Ansible itself takes of that."""
    ask = [str(_BIN / "ansible-inventory"), "--list", "-i"]
    listing = folder / "fleet.listing"
    _cost([*ask, str(fleet), "--output", str(listing)])
    ours, bare = _cost([*ask, str(fleet)]), _cost([*ask, str(listing)])
    name = f"ansible-inventory --list, {HOSTS:,} hosts, 9 expressions"
    return [
        compare(f"{name}: CPU / Ansible's own share", [ours[0]], [bare[0]], limit=_OWN_SHARE),
        compare(f"{name}: memory / Ansible's own share", [ours[1]], [bare[1]], limit=_OWN_SHARE, unit="MB"),
    ]


def _runs(folder: Path, fleet: Path) -> list[Figure]:
    """Return what the start of a run takes with its frozen inventory, against that of a fleet that has no others."""
    chosen = sorted(fleet_document(RUN_HOSTS)["hosts"])
    alone = _constructed(folder / "alone", RUN_HOSTS)
    playbook = folder / "nothing.yml"
    playbook.write_text(_PLAYBOOK, encoding="utf-8")
    reference = _frozen(folder, alone, chosen, "hosts", "of-50")
    figures = []
    contexts: tuple[Context, ...] = ("hosts", "fleet")
    for context in contexts:
        ours = _frozen(folder, fleet, chosen, context, f"of-all-{context}")
        pairs = [(_start(ours, playbook, chosen), _start(reference, playbook, chosen)) for _ in range(_SAMPLES)]
        name = f"start of a run, context {context}: CPU, {RUN_HOSTS} of {HOSTS:,} / {RUN_HOSTS} of {RUN_HOSTS}"
        figures.append(compare(name, *zip(*pairs, strict=True), limit=1.1))
    return figures


def _lookups(folder: Path, fleet: Path) -> list[Figure]:
    """Return what it takes a task to know the whole fleet, which an earlier task of the run has read."""
    chosen = sorted(fleet_document(RUN_HOSTS)["hosts"])
    frozen = _frozen(folder, fleet, chosen, "fleet", "asked")
    debug = [str(_BIN / "ansible"), "-i", str(frozen), chosen[0], "-c", "local", "-m", "ansible.builtin.debug", "-a"]
    asking = [*debug, "msg={{ lookup('bedplate.datacenter.fleet') | length }}"]
    first = _cost(asking)[0]
    more = [_cost(asking)[0] - _cost([*debug, "msg=1"])[0] for _ in range(_SAMPLES)]
    name = f"the whole fleet in a further task, {HOSTS:,} hosts: CPU / budget"
    note = f"the first task: {first:.1f} s with ansible's start"
    return [compare(name, more, [_LOOKUP_SECONDS] * _SAMPLES, limit=1.0, note=note)]


def _frozen(folder: Path, inventory: Path, hosts: Sequence[str], context: Context, name: str) -> Path:
    settings = replace(load_settings({}, folder), home=folder / "home")
    adapter = InventoryAdapter(find_content(_ROOT), settings, inventory)
    return freeze(adapter, hosts, context, folder / "frozen" / name)


def _start(inventory: Path, playbook: Path, hosts: Sequence[str]) -> float:
    command = [str(_BIN / "ansible-playbook"), "-i", str(inventory), str(playbook), "--limit", ",".join(hosts)]
    return _cost([*command, "--list-hosts"])[0]


def _cost(command: Sequence[str]) -> tuple[float, float]:
    """Return the CPU seconds of a command with all that it starts, and the peak of its memory in MB."""
    program = (
        "import resource, subprocess, sys;"
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)"
    )
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
        "ANSIBLE_COLLECTIONS_PATH": str(_ROOT / "collections"),
        "ANSIBLE_INVENTORY_ENABLED": "bedplate.datacenter.netbox,bare",
        "ANSIBLE_INVENTORY_PLUGINS": str(Path(__file__).with_name("ansibles_own")),
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
        "ANSIBLE_CONFIG": str(Path(__file__).with_name("plain.cfg")),
    }
    told = subprocess.run(
        [sys.executable, "-c", program, *command], env=env, check=True, capture_output=True, text=True
    )
    time, peak = told.stdout.split()
    return float(time), float(peak)
