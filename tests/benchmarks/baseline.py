"""The baseline on lab hosts: the first run, and one with nothing to do, by `bedplate run` and by Ansible's defaults.

Where a lab can run only, which takes root. The default settings are ansible-core's own: five forks, no pipelining, and
the same roles behind facts that are gathered in full, in each play.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Self

from .figures import Figure, compare

_ROOT = Path(__file__).resolve().parents[2]
_LAB = _ROOT / "inventories" / "lab"
_FACTORY = _ROOT / "molecule" / "shared" / "factory"
_HOSTS = int(os.environ.get("BENCH_BASELINE_HOSTS", "10"))
_SAMPLES = int(os.environ.get("BENCH_BASELINE_SAMPLES", "3"))
_LIMIT = 0.4
_BIN = Path(sys.executable).parent
_RECAP = re.compile(r"^(\S+)\s+: ok=(\d+) +changed=(\d+) +unreachable=(\d+) +failed=(\d+) +skipped=(\d+)", re.MULTILINE)
# Counts what goes to hosts: a command over SSH, or a transfer of files.
_COUNTING = """\
#!/bin/sh
for last; do :; done
case {program}:$last in
    ssh:*' '* | sftp:* | scp:*) echo {program} >>'{log}' ;;
esac
exec {real} "$@"
"""


@dataclass(frozen=True)
class Sample:
    """One run: its seconds, and the tasks (those passed over too) and the trips to hosts, all hosts together."""

    seconds: float
    tasks: int
    trips: int


def measure() -> list[Figure]:
    """Return the figures of the first run, which makes the hosts, and of those that find nothing to do."""
    with tempfile.TemporaryDirectory(prefix="bedplate-bench-") as name, BaselineLab(Path(name)) as lab:
        first = lab.ours()
        rounds = [
            (lab.ours(converged=True), lab.ours("--no-look", converged=True), lab.reference()) for _ in range(_SAMPLES)
        ]
        return _figures(first, *zip(*rounds, strict=True))


def _figures(
    first: Sample, ours: Sequence[Sample], every: Sequence[Sample], reference: Sequence[Sample]
) -> list[Figure]:
    hosts = f"{_HOSTS} hosts"
    again = statistics.median(sample.seconds for sample in every)
    return [
        compare(
            f"baseline with nothing to do / by Ansible's default settings, {hosts}",
            [sample.seconds for sample in ours],
            [sample.seconds for sample in reference],
            limit=_LIMIT,
            note="looks first",
        ),
        compare(
            f"baseline with nothing to do, --no-look / by Ansible's default settings, {hosts}",
            [sample.seconds for sample in every],
            [sample.seconds for sample in reference],
            limit=None,
        ),
        *_counted("", ours, reference),
        *_counted(", --no-look", every, reference),
        compare(
            f"baseline per host, first run / with nothing to do, --no-look, {hosts}",
            [first.seconds / _HOSTS],
            [again / _HOSTS],
            limit=None,
            note="apt's cache warm; sealed after it",
        ),
    ]


def _counted(how: str, ours: Sequence[Sample], reference: Sequence[Sample]) -> Iterator[Figure]:
    """Yield how often hosts are asked, and how many tasks they have, of runs that find nothing to do."""
    for what, unit, note in (("round trips", "trips", ""), ("tasks", "tasks", "those passed over count too")):
        per_host = [[getattr(sample, unit) / _HOSTS for sample in samples] for samples in (ours, reference)]
        name = f"baseline with nothing to do{how}: {what} per host, {_HOSTS} hosts"
        yield compare(name, *per_host, limit=None, unit=unit, note=note)


class BaselineLab:
    """A lab of its own, as the demo's and with more hosts; it is gone in the end."""

    def __init__(self, folder: Path, hosts: int = _HOSTS) -> None:
        self._folder = folder
        self._hosts = hosts
        self._trips = folder / "trips"
        self._env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "BEDPLATE_"))},
            "BEDPLATE_HOME": str(folder / "home"),
            "PATH": f"{folder / 'bin'}:{_BIN}:{os.environ['PATH']}",
        }

    def __enter__(self) -> Self:
        self._write_counters()
        try:
            self._make_hosts(self._write_fleet())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._bedplate("lab", "down")

    def ours(self, *options: str, converged: bool = False) -> Sample:
        """Run the product, with all that is recorded of it."""
        words = ("-i", str(self._inventory), "run", "baseline", "-o", "json", *options)
        seconds, out, trips = self._timed([str(_BIN / "bedplate"), *words], self._env)
        run = json.loads(out)
        rows = json.loads(self._bedplate("runs", "hosts", run["id"], "-o", "json"))
        self._refuse_others(len(rows))
        if converged and any(row["changed"] for row in rows):
            _refuse_changes(self._bedplate("runs", "logs", run["id"]))
        return Sample(seconds, sum(row["ok"] + row["skipped"] for row in rows), trips)

    def reference(self) -> Sample:
        """Run the same roles as plain Ansible does."""
        command = [str(_BIN / "ansible-playbook"), "-i", str(self._inventory), str(self._write_playbook())]
        env = {
            **self._env,
            "ANSIBLE_CONFIG": str(Path(__file__).with_name("plain.cfg")),
            "ANSIBLE_COLLECTIONS_PATH": str(_ROOT / "collections"),
            "ANSIBLE_INVENTORY_ENABLED": "bedplate.datacenter.netbox,ansible.builtin.yaml",
            "ANSIBLE_HOME": str(self._folder / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
        }
        seconds, out, trips = self._timed(command, env)
        names = ("host", "ok", "changed", "unreachable", "failed", "skipped")
        rows = [dict(zip(names, (row[0], *map(int, row[1:])), strict=True)) for row in _RECAP.findall(out)]
        self._refuse_others(len(rows))
        if any(row["changed"] for row in rows):
            _refuse_changes(out)
        return Sample(seconds, sum(row["ok"] + row["skipped"] for row in rows), trips)

    @property
    def _inventory(self) -> Path:
        return self._folder / "home" / "lab" / "inventory"

    def _timed(self, command: Sequence[str], env: Mapping[str, str]) -> tuple[float, str, int]:
        """Return how long a command takes, what it prints and how often it went to a host."""
        self._trips.write_text("", encoding="ascii")
        begun = time.perf_counter()
        done = subprocess.run(command, env=env, cwd=self._folder, capture_output=True, text=True, check=False)
        took = time.perf_counter() - begun
        if done.returncode:
            raise SystemExit(f"{command[0]} failed with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
        return took, done.stdout, len(self._trips.read_text(encoding="ascii").splitlines())

    def _bedplate(self, *arguments: str) -> str:
        command = [str(_BIN / "bedplate"), *arguments]
        return subprocess.run(command, env=self._env, check=True, stdout=subprocess.PIPE, text=True).stdout

    def _make_hosts(self, fleet: Path) -> None:
        """Make the hosts of this inventory; `bedplate lab up` knows the lab's own only."""
        where = ("--folder", str(self._folder / "home" / "lab"))
        command = [sys.executable, str(_FACTORY), *where, "up", "--inventory", str(fleet), "--subnet", "auto"]
        subprocess.run(command, env=self._env, check=True, stdout=subprocess.DEVNULL)

    def _refuse_others(self, hosts: int) -> None:
        if hosts != self._hosts:
            raise SystemExit(f"the baseline ran on {hosts} hosts and not on {self._hosts}")

    def _write_counters(self) -> None:
        folder = self._folder / "bin"
        folder.mkdir()
        for program in ("ssh", "sftp", "scp"):
            real = shutil.which(program)
            file = folder / program
            file.write_text(_COUNTING.format(program=program, real=real, log=self._trips), encoding="utf-8")
            file.chmod(0o755)

    def _write_fleet(self) -> Path:
        """Write the lab's inventory with as many hosts as are wanted: its own, then more of a kind."""
        folder = self._folder / "fleet"
        shutil.copytree(_LAB, folder)
        snapshot = folder / ".snapshot.json"
        document: dict[str, Any] = json.loads(snapshot.read_text(encoding="utf-8"))
        hosts = document["hosts"]
        for name in sorted(hosts, key=lambda name: hosts[name]["role"] != "observer")[self._hosts :]:
            del hosts[name]
        for number in range(1, self._hosts - len(hosts) + 1):
            of = hosts[f"fra1-colo-0{number % 2 + 1}"]
            name = f"fra1-more-{number:02}"
            network = of["primary_ip4"].rpartition(".")[0]
            more = {"name": name, "id": 1000 + number, "dns_name": f"{name}.example.com"}
            hosts[name] = {**of, **more, "primary_ip4": f"{network}.{100 + number}"}
        snapshot.write_text(json.dumps(document), encoding="utf-8")
        return folder

    def _write_playbook(self) -> Path:
        """Write the baseline without what it says of facts."""
        text = (_ROOT / "playbooks" / "baseline.yml").read_text(encoding="utf-8")
        playbook = self._folder / "baseline.yml"
        playbook.write_text(re.sub(r"(?m)^  gather_subset: .*\n", "", text), encoding="utf-8")
        return playbook


def _refuse_changes(log: str) -> NoReturn:
    changed, task = set(), ""
    for line in log.splitlines():
        task = line.strip("TASK *") if line.startswith("TASK") else task
        changed.update([f"{line.partition('[')[2].partition(']')[0]}: {task}"] if line.startswith("changed:") else ())
    raise SystemExit("\n  ".join(["there should be nothing to do any more, and this was changed", *sorted(changed)]))
