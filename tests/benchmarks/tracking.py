"""What tracking costs: many small tasks, bare, under ansible-runner, with ARA's callback, and by `bedplate run`."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

import yaml

from .figures import Figure, compare, seconds

_ROOT = Path(__file__).resolve().parents[2]
_HOSTS = int(os.environ.get("BENCH_TRACKING_HOSTS", "200"))
_TASKS = int(os.environ.get("BENCH_TRACKING_TASKS", "25"))
_SAMPLES = int(os.environ.get("BENCH_TRACKING_SAMPLES", "3"))
_FORKS = 10
_MEMORY_LIMIT = 120.0
_BARE_LIMIT = 1.05
_BIN = Path(sys.executable).parent
_CONFIG = """\
[defaults]
retry_files_enabled = False
inject_facts_as_vars = False
gathering = smart
nocolor = True
"""


def measure() -> list[Figure]:
    """Return time and memory of tracking; every sample runs all engines in turn, but ARA, which the last one runs too.

    ARA takes ten times as long as the others together: one sample tells.
    """
    with tempfile.TemporaryDirectory(prefix="bedplate-bench-") as folder:
        bench = TrackingBench(Path(folder))
        samples = [bench.sample() for _ in range(_SAMPLES)]
        if find_spec("ara"):
            samples[-1]["ara"] = bench.ara()
        return [*_time_figures(samples), *bench.memory_figures()]


class TrackingBench:
    """A fixture project, and one command for each engine, all with the same playbook, inventory and forks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.content = folder / "content"
        self.inventory = folder / "hosts.ini"
        self._write_content()
        self._write_inventory()
        (folder / "ansible.cfg").write_text(_CONFIG)
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "BEDPLATE_"))}
        self.env |= {"ANSIBLE_CONFIG": str(folder / "ansible.cfg"), "PATH": f"{_BIN}:{os.environ['PATH']}"}
        self.memory: list[float] = []

    @property
    def engines(self) -> dict[str, Callable[[], float]]:
        """The engines by name; each is run and returns its seconds."""
        return {"bare": self._bare, "runner": self._runner, "bedplate": self._bedplate}

    def sample(self) -> dict[str, float]:
        """Return the seconds of each engine, run one after another."""
        return {name: engine() for name, engine in self.engines.items()}

    def memory_figures(self) -> list[Figure]:
        """Return the memory that Bedplate takes besides ansible, and whether it grows over a run."""
        half = len(self.memory) // 2
        early, late = statistics.median(self.memory[half // 2 : half]), statistics.median(self.memory[-(half // 2) :])
        peak = max(self.memory)
        share = round(peak / _MEMORY_LIMIT, 4)
        return [
            Figure("control-side memory, peak", "MB", round(peak, 1), _MEMORY_LIMIT, share, 1.0, len(self.memory)),
            compare("control-side memory, late / early", [late], [early], limit=1.1, unit="MB"),
        ]

    def _bare(self) -> float:
        return seconds([*self._playbook_command()], self.env, self.folder)

    def ara(self) -> float:
        """Return the seconds of ansible-playbook with ARA's callback and a store of its own."""
        from ara.setup import callback_plugins  # noqa: PLC0415 (only there where ARA is)

        base = self.folder / "ara"
        shutil.rmtree(base, ignore_errors=True)
        env = self.env | {"ANSIBLE_CALLBACK_PLUGINS": str(callback_plugins), "ARA_BASE_DIR": str(base)}
        return seconds([*self._playbook_command()], env, self.folder)

    def _runner(self) -> float:
        folder = self.folder / "runner"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "env").mkdir(parents=True)
        (folder / "env" / "cmdline").write_text(f"--forks {_FORKS}")
        command = [str(_BIN / "ansible-runner"), "run", str(folder), "-p", str(self._playbook), "-q"]
        return seconds([*command, "--inventory", str(self.inventory)], self.env, self.folder)

    def _bedplate(self) -> float:
        env = self.env | {
            "BEDPLATE_HOME": str(self.folder / "home"),
            "BEDPLATE_CONTENT_PATH": str(self.content),
            "BEDPLATE_EXECUTION_FORKS": str(_FORKS),
        }
        command = [str(_BIN / "bedplate"), "-i", str(self.inventory), "run", "tracking"]
        begun = time.perf_counter()
        with subprocess.Popen(command, env=env, cwd=self.folder, stdout=subprocess.DEVNULL) as process:
            self._watch(process)
        if process.returncode:
            raise SystemExit(f"bedplate run failed with exit code {process.returncode}")
        return time.perf_counter() - begun

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Note the memory of Bedplate's own process twice a second until it ends."""
        ended = threading.Event()

        def note() -> None:
            while not ended.wait(0.5):
                self.memory.append(_proportional_set_size(process.pid))

        watcher = threading.Thread(target=note)
        watcher.start()
        process.wait()
        ended.set()
        watcher.join()

    @property
    def _playbook(self) -> Path:
        return self.content / "playbooks" / "tracking.yml"

    def _playbook_command(self) -> list[str]:
        return [
            str(_BIN / "ansible-playbook"), "-i", str(self.inventory), "--forks", str(_FORKS), str(self._playbook),
        ]  # fmt: skip

    def _write_content(self) -> None:
        products = self.content / "playbooks" / "products"
        products.mkdir(parents=True)
        for name in ("galaxy.yml", "plugins", "roles"):
            (self.content / name).symlink_to(_ROOT / name)
        spaces = self.content / "collections" / "ansible_collections" / "bedplate"
        spaces.mkdir(parents=True)
        (spaces / "datacenter").symlink_to(self.content)
        tasks = [
            {"name": f"Task {number}", "ansible.builtin.debug": {"msg": f"{number} on {{{{ inventory_hostname }}}}"}}
            for number in range(1, _TASKS + 1)
        ]
        _dump(self._playbook, [{"name": "Track", "hosts": "all", "gather_facts": False, "tasks": tasks}])
        _dump(products / "tracking.yml", _MANIFEST)

    def _write_inventory(self) -> None:
        hosts = "\n".join(f"host-{number:03}" for number in range(_HOSTS))
        self.inventory.write_text(f"{hosts}\n[all:vars]\nansible_connection=local\n")


_MANIFEST: Mapping[str, object] = {
    "name": "tracking",
    "title": "Tracking",
    "summary": "Many small tasks.",
    "owner": {"team": "bench", "contact": "bench@example.com"},
    "lifecycle": {"stage": "ga"},
    "playbook": "playbooks/tracking.yml",
}


def _time_figures(samples: list[dict[str, float]]) -> list[Figure]:
    took = {name: [sample[name] for sample in samples] for name in samples[0]}
    play = f"{_HOSTS} hosts x {_TASKS} tasks"
    runner = compare(f"ansible-runner run / ansible-playbook, {play}", took["runner"], took["bare"], limit=None)
    # Nothing that runs under ansible-runner can be nearer to bare than it is.
    allows = runner.ratio <= _BARE_LIMIT
    limit, note = (_BARE_LIMIT, "") if allows else (None, f"{_BARE_LIMIT} wanted; ansible-runner is above it")
    figures = [
        runner,
        compare(f"bedplate run / ansible-playbook, {play}", took["bedplate"], took["bare"], limit=limit, note=note),
        compare(f"bedplate run / ansible-runner run, {play}", took["bedplate"], took["runner"], limit=1.02),
    ]
    if last := samples[-1].get("ara"):
        added = samples[-1]["bedplate"] - samples[-1]["bare"], last - samples[-1]["bare"]
        figures.append(compare(f"added by bedplate / added by ARA, {play}", added[:1], added[1:], limit=0.5))
    return figures


def _proportional_set_size(pid: int) -> float:
    """Return the megabytes of a process, shared pages divided among their users; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def _dump(file: Path, document: object) -> None:
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
