"""From a run's events to seals, and from seals to checks: with products of a few tasks, on this machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bedplate.drift.managed import Resource
from bedplate.drift.managing import seal_from_run
from bedplate.drift.observation import CheckOutcome, HostCheck
from bedplate.drift.seal import Unsealed
from bedplate.errors import EngineError
from bedplate.launch.sealing import Taken, fast_check, seal_key, take_seals
from bedplate.runs import Run
from integration.execution_project import ROOT, Project, task


@dataclass(frozen=True)
class Sealed:
    """A project whose hosts a run brought to their state, with their seals."""

    project: Project
    run: Run
    taken: Taken

    @property
    def things(self) -> Path:
        return self.project.folder / "things"

    def check(self, hosts: Iterable[str] = ("h1",), seals: dict[str, str] | None = None) -> list[HostCheck]:
        """Check hosts, on which only what is in this project's folder counts: the machine is in use."""
        known = {**self.taken.seals, **(seals or {})}
        checked = fast_check(self.project.launcher, list(hosts), known, texts=lambda _digests: self.taken.texts)
        return list(checked.checks)

    def found(self) -> dict[tuple[str, str], str | None]:
        """Return what differs in the project's folder on h1: path and attribute, with the difference of texts."""
        (check,) = self.check()
        mine = [seen for seen in check.observations if seen.key.startswith(str(self.things))]
        return {(seen.key.removeprefix(f"{self.things}/"), seen.attribute): seen.diff for seen in mine}


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    project = Project(tmp_path_factory.mktemp("sealing"))
    for file in ("playbooks/drift_check.yml", "playbooks/products/drift_check.yml"):
        (project.root / file).symlink_to(ROOT / file)
    things = project.folder / "things"
    files = [{"path": f"{things}/a.conf", "content": "x = 1\n"}, {"path": f"{things}/b.conf", "content": "y"}]
    copied = {"content": "{{ item }}\n", "dest": f"{things}/{{{{ item }}}}", "mode": "0644"}
    project.product(
        "things",
        [
            task("Make a folder", "file", arguments={"path": str(things), "state": "directory", "mode": "0755"}),
            task("Write two", "bedplate.datacenter.host_files", arguments={"files": files}),
            task("Copy", "copy", arguments=copied, loop=["one", "two"]),
            task("Keep a secret", "copy", arguments={**copied, "content": "s3cr3t"}, loop=["three"], no_log=True),
            task("Leave out", "copy", arguments={**copied, "dest": "/nowhere"}, loop=["four"], when=False),
            task("Tell what there is", "set_fact", arguments={"__packages_known": ["sudo", "chrony"]}),
            task("Install", "bedplate.datacenter.packages_present", arguments={"name": "{{ __packages_known[1:] }}"}),
            task(
                "Remove",
                "bedplate.datacenter.packages_absent",
                arguments={"name": ["talkd"], "installed": "{{ __packages_known }}"},
            ),
            task("Look", "command", arguments={"argv": ["true"]}, changed_when=False),
            task("Do something", "command", arguments={"argv": ["true"]}),
            task("Fail on the second", "fail", when="inventory_hostname == 'h2'"),
        ],
    )
    run = project.run("things")
    return Sealed(project, run, take_seals(project.launcher, run.id))


def test_a_run_says_what_its_tasks_manage(sealed: Sealed) -> None:
    managed = seal_from_run(sealed.project.store, sealed.run.id, "h1")
    at = str(sealed.things)
    assert set(managed.resources) == {
        Resource("meta", at, None, "Make a folder"),
        Resource("file", f"{at}/a.conf", None, "Write two"),
        Resource("file", f"{at}/b.conf", None, "Write two"),
        Resource("file", f"{at}/one", None, "Copy"),
        Resource("file", f"{at}/two", None, "Copy"),
        Resource("package", "chrony", None, "Install"),
        Resource("package", "talkd", None, "Remove"),
    }
    assert set(managed.unsealed) == {
        Unsealed(None, "Keep a secret", "its result is hidden"),
        Unsealed(None, "Do something", "no row says what ansible.builtin.command manages"),
    }


def test_only_hosts_that_came_to_their_state_are_sealed(sealed: Sealed) -> None:
    assert sealed.taken.seals.keys() == {"h1"}
    assert sealed.taken.failures == {}
    assert "s3cr3t" not in str(sealed.taken.texts)


def test_what_is_as_it_was_is_clean_and_what_changed_is_shown(sealed: Sealed) -> None:
    assert sealed.found() == {}
    (sealed.things / "a.conf").write_text("x = 2\n", encoding="utf-8")
    (sealed.things / "one").unlink()
    (sealed.things / "two").chmod(0o666)
    sealed.things.chmod(0o700)
    found = sealed.found()
    assert found.keys() == {(str(sealed.things), "mode"), ("a.conf", "content"), ("one", "presence"), ("two", "mode")}
    assert "-x = 1\n+x = 2" in (found["a.conf", "content"] or "")
    sealed.things.chmod(0o755)


def test_hosts_that_cannot_be_judged_are_unknown_and_say_why(sealed: Sealed) -> None:
    text = sealed.taken.seals["h1"]
    one, two, three = sealed.check(("h1", "h2", "h3"), {"h1": text[:-8] + "AAAAAAA=", "h3": text})
    assert {check.outcome for check in (one, two, three)} == {CheckOutcome.UNKNOWN}
    assert one.reason == "its seal is not as it was signed: it was changed, or signed with another key"
    assert two.reason == "there is no seal of it: bedplate drift seal takes one"
    assert three.reason == one.reason


def test_an_inventory_that_changed_makes_a_host_stale(sealed: Sealed) -> None:
    project = sealed.project
    before = (project.inventory / "hosts.yml").read_text(encoding="utf-8")
    project.__dict__.pop("launcher", None)
    try:
        project.write_inventory({"h1": {"wanted": "other"}, "h2": {}})
        (check,) = sealed.check()
    finally:
        (project.inventory / "hosts.yml").write_text(before, encoding="utf-8")
        project.__dict__.pop("launcher", None)
    assert check.outcome is CheckOutcome.STALE
    assert check.reason == "since the seal, what the inventory says of it changed"


def test_a_host_without_python_is_unknown(sealed: Sealed) -> None:
    project = sealed.project
    before = (project.inventory / "hosts.yml").read_text(encoding="utf-8")
    project.__dict__.pop("launcher", None)
    try:
        project.write_inventory({"h1": {"ansible_python_interpreter": "/no/python"}, "h2": {}})
        (check,) = sealed.check()
    finally:
        (project.inventory / "hosts.yml").write_text(before, encoding="utf-8")
        project.__dict__.pop("launcher", None)
    assert check.outcome is CheckOutcome.UNKNOWN
    assert "/no/python" in (check.reason or "")


def test_the_key_is_private_and_made_once(tmp_path: Path) -> None:
    key = seal_key(tmp_path)
    file = tmp_path / "seal.key"
    assert (len(key), file.stat().st_mode & 0o777, seal_key(tmp_path)) == (32, 0o600, key)
    file.chmod(0o640)
    with pytest.raises(EngineError, match="others may read"):
        seal_key(tmp_path)
    file.chmod(0o600)
    file.write_bytes(b"short")
    with pytest.raises(EngineError, match="cut off"):
        seal_key(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["seal.key"]
