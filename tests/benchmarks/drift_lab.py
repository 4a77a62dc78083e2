"""The fast check of lab hosts at the whole baseline, beside what else could be asked of the same hosts.

Where a lab can run only, which takes root. Check mode is given all that makes it fast: pipelining, connections that
stay, as many forks as hosts; and mitogen, where that is installed.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from .baseline import BaselineLab
from .drift_cost import HostCost, measure_cost
from .figures import Figure, compare

_ROOT = Path(__file__).resolve().parents[2]
_HOSTS = int(os.environ.get("BENCH_DRIFT_HOSTS", "10"))
_SAMPLES = int(os.environ.get("BENCH_DRIFT_SAMPLES", "3"))
_BIN = Path(sys.executable).parent
_OF_CHECK_MODE, _OF_MITOGEN, _OF_PING = 1 / 20, 1 / 5, 3.0
_CPU_BUDGET, _MEMORY_BUDGET = 0.3, 60.0
_CONFIG = """\
[defaults]
gathering = smart
inject_facts_as_vars = False
callback_result_format = json
[ssh_connection]
pipelining = True
ssh_args = -o ControlMaster=auto -o ControlPersist=60s
"""
_PING = """\
- name: Ping
  hosts: all
  gather_facts: false
  tasks:
    - name: Ping
      ansible.builtin.ping:
"""


def measure() -> list[Figure]:
    """Return the figures of checks of one lab."""
    with tempfile.TemporaryDirectory(prefix="bedplate-bench-") as name, DriftLab(Path(name)) as lab:
        lab.ours()
        quick = [(lab.check(), lab.ping()) for _ in range(_SAMPLES)]
        ours = [check for check, _ in quick]
        figures = [
            _ratio("a ping play", ours, [ping for _, ping in quick], _OF_PING),
            lab.cost_of_a_host(),
            *_host_figures(measure_cost(lab.inventory, lab.environment)),
            _ratio("check mode, pipelining, a fork a host", ours, [lab.check_mode()] * _SAMPLES, _OF_CHECK_MODE),
        ]
        if find_spec("ansible_mitogen"):
            by_mitogen = [lab.check_mode(mitogen=True)] * _SAMPLES
            figures.append(_ratio("check mode by mitogen", ours, by_mitogen, _OF_MITOGEN))
        return figures


def _ratio(reference: str, ours: Sequence[float], theirs: Sequence[float], limit: float) -> Figure:
    return compare(f"fast check of the baseline / {reference}, {_HOSTS} hosts", ours, theirs, limit=limit)


def _host_figures(cost: HostCost) -> list[Figure]:
    name = f"fast check of {cost.resources} resources on a host"
    more = f"with a look into logs {cost.tracing:.2f} s, to seal {cost.sealing:.2f} s"
    note = f"{cost.answering:.2f} s of it any module's, a ping's too; {more}"
    return [
        compare(f"{name}: CPU beyond Python's start / budget", [cost.seconds], [_CPU_BUDGET], limit=1.0, note=note),
        compare(f"{name}: memory / budget", [cost.megabytes], [_MEMORY_BUDGET], limit=1.0, unit="MB"),
        compare(f"{name}: answer / 700,000", [cost.characters], [700_000], limit=1.0, unit="characters"),
    ]


class DriftLab(BaselineLab):
    """A lab whose hosts are sealed after the baseline."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, _HOSTS)
        (folder / "fast.cfg").write_text(_CONFIG, encoding="utf-8")
        (folder / "ping.yml").write_text(_PING, encoding="utf-8")
        self.environment: Mapping[str, str] = {
            **self._env,
            "ANSIBLE_CONFIG": str(folder / "fast.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(_ROOT / "collections"),
            "ANSIBLE_INVENTORY_ENABLED": "bedplate.datacenter.netbox,ansible.builtin.yaml",
            "ANSIBLE_HOME": str(folder / "ansible"),
            "ANSIBLE_FORKS": str(_HOSTS),
        }

    @property
    def inventory(self) -> Path:
        return self._inventory

    def check(self, *limit: str) -> float:
        """Return how long a fast check takes, all that it keeps included; every host must be clean."""
        words = [str(_BIN / "bedplate"), "-i", str(self._inventory), "drift", "check", "-o", "json", *limit]
        seconds, out, _ = self._timed(words, self._env)
        outcomes = json.loads(out)["outcomes"]
        if sum(outcomes.values()) != outcomes["clean"]:
            raise SystemExit(f"nobody touched the hosts, and the check says {outcomes}")
        return seconds

    def check_mode(self, *, mitogen: bool = False) -> float:
        """Return how long the baseline's playbook takes in check mode."""
        more = _mitogen() if mitogen else {}
        return self._play(_ROOT / "playbooks" / "baseline.yml", "--check", **more)

    def ping(self) -> float:
        """Return how long one task that only answers takes."""
        return self._play(self._folder / "ping.yml")

    def cost_of_a_host(self) -> Figure:
        """Return the processor time that one more host takes here, beside what a check takes with one host."""
        (first, *_others) = self._names()
        one, every = self._processor_time("-l", first), self._processor_time()
        each = (every - one) / (_HOSTS - 1)
        name = "fast check: control node's CPU of a further host / of the first"
        return compare(name, [each], [one], limit=None)

    def _processor_time(self, *limit: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.check(*limit)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def _names(self) -> list[str]:
        return sorted(row["name"] for row in json.loads(self._bedplate("lab", "status", "-o", "json"))["hosts"])

    def _play(self, playbook: Path, *options: str, **environment: str) -> float:
        words = [str(_BIN / "ansible-playbook"), "-i", str(self._inventory), str(playbook), *options]
        return self._timed(words, {**self.environment, **environment})[0]


def _mitogen() -> dict[str, str]:
    program = "import ansible_mitogen.plugins.strategy as it; print(it.__path__[0])"
    folder = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    return {"ANSIBLE_STRATEGY": "mitogen_linear", "ANSIBLE_STRATEGY_PLUGINS": folder}
