"""10,000 hosts with 500 resources each, compared with their seals and kept: from recorded answers, without a network.

All of a fast check is measured but ansible: the order, the frozen inventory, the requests, the comparison, the store.
Each night is a process of its own: `python -m tests.benchmarks.drift_store check FOLDER`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bedplate.content import find_content
from bedplate.drift.capture import Capture, Identity, packed, unpacked
from bedplate.drift.managed import Resource
from bedplate.drift.seal import Intent, Managed, Seal, _signature, verify
from bedplate.drift.seals import KeptSeal
from bedplate.execution.digest import content_digest
from bedplate.execution.executor import RunEnd, RunObserver
from bedplate.launch import Launcher, PreparedRun
from bedplate.launch.sealing import intents, seal_key
from bedplate.runs import HostResult, Run, RunMode, RunStatus, new_run_id
from bedplate.settings import Settings, load_settings
from bedplate.store import open_drift, open_seals, open_store
from bedplate.watch import Escalation, FastCheck, FleetBackground, FullCheck, Recording, WaiverBook

from .figures import Figure, compare
from .fleet_snapshot import write_fleet

_ROOT = Path(__file__).resolve().parents[2]
HOSTS = int(os.environ.get("BENCH_DRIFT_STORED_HOSTS", "10000"))
_SECONDS, _MEGABYTES, _KILOBYTES = 60.0, 1000.0, 10.0
_VARIANTS, _DRIFTED, _FINDINGS = 8, 10, 5
_AT_ONCE = 500
_KINDS = {
    "file": (300, {"presence": "present", "type": "file", "mode": "0644", "owner": "root", "group": "root"}),
    "package": (100, {"presence": "present", "version": "1.2.3-4+deb12u1"}),
    "unit": (60, {"presence": "present", "enabled": "enabled", "state": "active", "configuration": ""}),
    "sysctl": (40, {"value": "1", "configured": "1"}),
}
_PRODUCT = "baseline"
_PLACES = ("@host@", "@content@", "@variables@")


def measure() -> list[Figure]:
    """Return time, memory and what is written in the first night, and in one that finds the same."""
    with tempfile.TemporaryDirectory(prefix="bedplate-bench-") as name:
        folder = Path(name)
        _in_a_process("prepare", folder)
        first = _in_a_process("check", folder)
        before = _size(folder / "home")
        second = _in_a_process("check", folder)
        grown = (_size(folder / "home") - before) / 1024 / HOSTS
    if (first["new"], second["staying"], second["new"]) != (first["expected"], first["expected"], 0):
        raise SystemExit(f"the nights found something else than what drifted: {first}, {second}")
    of = f"{HOSTS:,} hosts of 500 resources"
    memory = max(first["megabytes"], second["megabytes"])
    return [
        compare(f"compare and store {of}: first night / budget", [first["seconds"]], [_SECONDS], limit=1.0),
        compare(f"compare and store {of}: nothing new / budget", [second["seconds"]], [_SECONDS], limit=1.0),
        compare(f"compare and store {of}: memory / budget", [memory], [_MEGABYTES], limit=1.0, unit="MB"),
        compare(
            f"compare and store {of}: written per host, nothing new / budget",
            [grown],
            [_KILOBYTES],
            limit=1.0,
            unit="kB",
        ),
    ]


def _in_a_process(what: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", __spec__.name, what, str(folder)]
    done = subprocess.run(command, cwd=_ROOT, check=True, stdout=subprocess.PIPE, text=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _size(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file())


class RecordedFleet:
    """A fleet whose hosts answer with files, and the store that knows their seals."""

    def __init__(self, folder: Path) -> None:
        self._answers = folder / "answers"
        self._inventory = folder / "inventory"
        self._settings: Settings = replace(load_settings({}, folder), home=folder / "home")
        self._content = find_content(_ROOT)

    def prepare(self) -> dict[str, Any]:
        """Write the inventory, the run that brought all hosts to their state, their seals, and what they answer."""
        write_fleet(self._inventory, HOSTS)
        launcher = self._launcher()
        hosts = sorted(launcher.adapter.names.hosts)
        now = datetime.now(UTC)
        digest = content_digest(self._content)
        run = Run(
            new_run_id(now), _PRODUCT, RunStatus.SUCCESSFUL, RunMode.APPLY, "bench", now,
            content_digest=digest, hosts=tuple(hosts), started_at=now, finished_at=now, exit_code=0,
        )  # fmt: skip
        launcher.store.add(run)
        launcher.store.put_host_results(run.id, [HostResult(host, ok=200) for host in hosts])
        self._write_answers()
        seals = open_seals(self._settings)
        kept = list(self._seals(hosts, intents(launcher.adapter, hosts, digest), run, now))
        for start in range(0, len(kept), _AT_ONCE):
            seals.put(kept[start : start + _AT_ONCE], {})
        return {"hosts": len(hosts)}

    def check(self) -> dict[str, Any]:
        """Check all hosts against their seals, and return what it took and found."""
        begun = time.perf_counter()
        launcher, drift = self._launcher(), open_drift(self._settings)
        background = FleetBackground(self._content, launcher.adapter, launcher.store)
        recording = Recording(drift, background, WaiverBook(drift, self._settings.waivers_file))
        full = FullCheck(launcher, recording)
        checking = FastCheck(launcher, open_seals(self._settings), drift, recording, full, self._execute)
        result = checking.check(checking.order(_PRODUCT, None), Escalation(0)).result
        if result is None:
            raise SystemExit("the check came to nothing")
        return {
            "seconds": time.perf_counter() - begun,
            "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "new": result.check.findings.new,
            "staying": result.check.findings.staying,
            "expected": len(range(0, len(result.states), _DRIFTED)) * _FINDINGS,
        }

    def _launcher(self) -> Launcher:
        codes = dict.fromkeys(RunEnd, 0)
        return Launcher(self._content, self._settings, self._inventory, open_store(self._settings), codes)

    def _execute(self, prepared: PreparedRun, _observers: Sequence[RunObserver]) -> Run:
        """Answer in place of the hosts."""
        run = prepared.run
        assert run.folder is not None
        folder = run.folder / "artifacts" / "captures"
        folder.mkdir()
        for number, host in enumerate(sorted(run.hosts)):
            (folder / host).hardlink_to(self._answers / _answer(number))
        store = open_store(self._settings)
        store.update(run.id, status=RunStatus.SUCCESSFUL, finished_at=datetime.now(UTC), exit_code=0)
        return store.get(run.id)

    def _write_answers(self) -> None:
        self._answers.mkdir()
        for number in range(_VARIANTS * _DRIFTED):
            capture = _capture(number % _VARIANTS, drifted=number % _DRIFTED == 0)
            (self._answers / _answer(number)).write_text(packed(capture.document()), encoding="ascii")

    def _seals(
        self, hosts: Sequence[str], meant: dict[str, Intent], run: Run, at: datetime
    ) -> Iterator[KeptSeal]:  # fmt: skip
        key = seal_key(self._settings.home)
        plain = [_plain_seal(variant, run, at) for variant in range(_VARIANTS)]
        for number, host in enumerate(hosts):
            text = plain[number % _VARIANTS]
            for place, value in zip(_PLACES, (host, meant[host].content, meant[host].variables), strict=True):
                text = text.replace(place, value)
            body = base64.b64encode(zlib.compress(text.encode(), 1)).decode()
            yield KeptSeal(host, _PRODUCT, run.id, at, f"d-{host}", f"{_signature(host, body, key)}:{body}")


def _answer(number: int) -> str:
    return f"{number % _VARIANTS}{'-drifted' if number % _DRIFTED == 0 else ''}"


def _plain_seal(variant: int, run: Run, at: datetime) -> str:
    host, content, variables = _PLACES
    seal = Seal(host, at, Intent(content, variables), _capture(variant), Managed(_resources()), run.id)
    return json.dumps(unpacked(verify(seal.to_text(b""), host, b"")), separators=(",", ":"))


def _resources() -> list[Resource]:
    return [
        Resource(kind, _key(kind, number), f"role_{number % 12}", f"Task {number % 40}")
        for kind, (count, _) in _KINDS.items()
        for number in range(count)
    ]


def _key(kind: str, number: int) -> str:
    return f"/etc/bedplate/{number % 30}.d/{number}.conf" if kind == "file" else f"{kind}-{number}"


def _capture(variant: int, *, drifted: bool = False) -> Capture:
    states: dict[str, dict[str, dict[str, str]]] = {}
    for kind, (count, state) in _KINDS.items():
        states[kind] = {_key(kind, number): dict(state) for number in range(count)}
    for number, found in enumerate(states["file"].values()):
        changed = drifted and number < _FINDINGS
        found["content"] = hashlib.sha256(f"{variant} {number} {changed}".encode()).hexdigest()
    watched: dict[str, Any] = {
        "file": {f"/etc/cron.d/{number}": {**_KINDS["file"][1], "content": f"{number:064x}"} for number in range(200)},
        "unit": {f"unit-{number}.service": {"enabled": "enabled"} for number in range(80)},
        "socket": {f"tcp 0.0.0.0:{number}": {"presence": "present"} for number in range(20)},
    }
    return Capture(Identity(f"{variant:032x}"), int(time.time()), "boot", states, watched)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(getattr(RecordedFleet(Path(sys.argv[2])), sys.argv[1])()))
