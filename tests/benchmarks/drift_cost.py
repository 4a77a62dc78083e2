"""What the module `seal` takes of a host: processor time and memory, of itself and all that it starts."""

from __future__ import annotations

import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bedplate.drift.capture import Capture, read_capture
from bedplate.drift.managed import Resource
from bedplate.drift.seal import Intent, Managed, Seal, request_for

_ROOT = Path(__file__).resolve().parents[2]
_BIN = Path(sys.executable).parent
_SAMPLES = 3
_PYTHON = "/run/measured-python"
_COSTS = "/run/measured"
_END = "--- end ---"
# Stands for the host's Python, and adds a line with seconds and kilobytes for each time that it was started.
_MEASURED = f"""\
#!/usr/bin/python3
import os, sys
pid = os.fork()
if not pid:
    os.execv("/usr/bin/python3", ["python3", *sys.argv[1:]])
_, status, used = os.wait4(pid, 0)
with open("{_COSTS}", "a") as file:
    file.write(f"{{used.ru_utime + used.ru_stime}} {{used.ru_maxrss}}\\n")
sys.exit(os.waitstatus_to_exitcode(status))
"""
# What there is on every host, so that there is enough of it.
_WANTED: Mapping[str, tuple[int, str]] = {
    "file": (300, "find /etc /usr/lib/systemd/system -type f"),
    "package": (100, "dpkg-query -W -f '${Package}\\n'"),
    "unit": (60, "systemctl list-unit-files --no-legend --no-pager --type=service | cut -d ' ' -f 1 | grep -v '@'"),
    "sysctl": (40, "sysctl -N -a 2>/dev/null"),
}


@dataclass(frozen=True)
class HostCost:
    """What one look of a fast check takes, at a host that is as it was sealed.

    Attributes:
        seconds: of processor time, beyond those of a Python that does nothing.
        answering: those among them that a module takes which only answers: Ansible's own for each module.
        tracing: the same as `seconds`, where something differs and the host looks into its logs who did it.
        sealing: the same, of the look that a seal is made of, which reads everything and sends texts.
        megabytes: at most at one moment, of all these looks.
        characters: of the longest answer.
    """

    resources: int
    seconds: float
    answering: float
    tracing: float
    sealing: float
    megabytes: float
    characters: int


def measure_cost(inventory: Path, environment: Mapping[str, str]) -> HostCost:
    """Return what looking at 500 resources takes on one host of an inventory."""
    with tempfile.TemporaryDirectory(prefix="bedplate-bench-") as name:
        host = _Host(inventory, environment, Path(name))
        resources = host.resources()
        first = [host.look(request_for(resources)) for _ in range(_SAMPLES)]
        now = datetime.now(UTC)
        request = Seal(host.name, now, Intent(), host.capture(), Managed(resources)).request(now.date())
        # Among the kernel's settings are counters, which are never as they were sealed.
        tracing = [host.look(request) for _ in range(_SAMPLES)]
        del request["sealed"]["states sysctl"]
        looks = [host.look(request) for _ in range(_SAMPLES)]
        if host.capture().evidence.since:
            raise SystemExit("nobody touched the host, and it looked into its logs")
        answers = [host.answer() for _ in range(_SAMPLES)]
        bare = statistics.median(host.start() for _ in range(_SAMPLES))
    every = [*first, *tracing, *looks]
    return HostCost(
        resources=len(resources),
        seconds=_seconds(looks) - bare,
        answering=statistics.median(answers) - bare,
        tracing=_seconds(tracing) - bare,
        sealing=_seconds(first) - bare,
        megabytes=max(kilobytes for _, kilobytes, _ in every) / 1024,
        characters=max(characters for _, _, characters in every),
    )


def _seconds(looks: Sequence[tuple[float, float, int]]) -> float:
    return statistics.median(seconds for seconds, _, _ in looks)


class _Host:
    """One host, reached by plain ansible."""

    def __init__(self, inventory: Path, environment: Mapping[str, str], folder: Path) -> None:
        self._inventory = inventory
        self._environment = {**environment, "BEDPLATE_ARTIFACTS": str(folder)}
        self._folder = folder
        self.name = self._first()
        self._shell(f"printf %s {shlex.quote(_MEASURED)} > {_PYTHON} && chmod 755 {_PYTHON}")

    def resources(self) -> list[Resource]:
        """Return what to look at."""
        return [
            Resource(kind, name)
            for kind, (count, command) in _WANTED.items()
            for name in sorted(set(self._shell(command).split()))[:count]
        ]

    def look(self, request: Mapping[str, Any]) -> tuple[float, float, int]:
        """Return seconds, kilobytes and characters of one look."""
        asked = self._folder / "seal"
        asked.mkdir(exist_ok=True)
        (asked / f"{self.name}.json").write_text(json.dumps(request), encoding="utf-8")
        play = str(_ROOT / "playbooks" / "drift_check.yml")
        seconds, kilobytes = self._cost("ansible-playbook", "--limit", self.name, play)
        return seconds, kilobytes, len(self._answered())

    def capture(self) -> Capture:
        """Return what the last look saw."""
        return read_capture(self._answered())

    def _answered(self) -> str:
        return (self._folder / "captures" / self.name).read_text(encoding="ascii")

    def answer(self) -> float:
        """Return the seconds of a module that only answers."""
        return self._cost("ansible", self.name, "-b", "-m", "ansible.builtin.ping")[0]

    def start(self) -> float:
        """Return the seconds of a Python that does nothing."""
        return float(self._shell(f"rm -f {_COSTS}; {_PYTHON} -c pass; cat {_COSTS}").split()[0])

    def _cost(self, program: str, *words: str) -> tuple[float, float]:
        """Run what starts one module on the host; return what that takes there."""
        self._shell(f"rm -f {_COSTS}")
        self._run(program, *words, "-e", f"ansible_python_interpreter={_PYTHON}")
        seconds, kilobytes = map(float, self._shell(f"cat {_COSTS}").split())
        return seconds, kilobytes

    def _first(self) -> str:
        listed = self._run("ansible", "all", "--list-hosts").splitlines()
        return min(line.strip() for line in listed[1:])

    def _shell(self, command: str) -> str:
        out = self._run("ansible", self.name, "-b", "-m", "ansible.builtin.raw", "-a", f"{command}; echo {_END}")
        return out.partition("\n")[2].partition(_END)[0]  # the first line says how it went, the last what ssh says

    def _run(self, program: str, *words: str) -> str:
        command = [str(_BIN / program), "-i", str(self._inventory), *words]
        env = {**os.environ, **self._environment}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{program} failed with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout
