"""What a host's part of a patch reads of apt, and how it runs the hooks of whoever runs services there."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from content.role_content import load_plugin

CHANGE = load_plugin("plugins/modules/host_change.py")
PLAN = """Reading package lists...
Inst libssl3 [3.0.15-1] (3.0.16-1 Debian-Security:12/stable-security [amd64])
Inst bash [5.2.15-2] (5.2.15-2+b8 Debian:12.9/stable [amd64])
Inst linux-image-6.1.0-32-amd64 (6.1.129-1 Debian-Security:12/stable-security [amd64]) []
Conf libssl3 (3.0.16-1 Debian-Security:12/stable-security [amd64])
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="hooks belong to root")


def updates(plan: str = "", **params: Any) -> Any:
    module = SimpleNamespace(
        params={"update": "all", "exclude": [], **params}, run_command=lambda *_, **__: (0, plan, "")
    )
    return CHANGE.Updates(module)


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({}, ["libssl3", "bash", "linux-image-6.1.0-32-amd64"]),
        ({"update": "security"}, ["libssl3", "linux-image-6.1.0-32-amd64"]),
        ({"exclude": ["lib*", "bash"]}, ["linux-image-6.1.0-32-amd64"]),
        ({"update": "none"}, []),
    ],
)
def test_what_is_pending(params: dict[str, Any], names: list[str]) -> None:
    found = updates(PLAN, **params).pending()
    assert [package["name"] for package in found] == names


def test_a_package_that_is_new_has_no_version_before() -> None:
    packages = {package["name"]: package for package in updates(PLAN).pending()}
    assert packages["bash"] == {"name": "bash", "before": "5.2.15-2", "after": "5.2.15-2+b8"}
    assert packages["linux-image-6.1.0-32-amd64"]["before"] == ""


def test_what_changed_is_told_and_what_went_is_not() -> None:
    assert CHANGE.changes({"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d": "1"}) == [
        {"name": "b", "before": "1", "after": "2"},
        {"name": "d", "before": "", "after": "1"},
    ]


def test_what_all_use_needs_a_reboot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CHANGE, "_MARK", str(tmp_path / "mark"))
    packages = [{"name": name} for name in ("bash", "libc6:amd64", "linux-image-6.1.0-32-amd64")]
    assert CHANGE.reboot_reasons(packages) == [
        "libc6:amd64 was replaced",
        "linux-image-6.1.0-32-amd64 was replaced",
    ]
    (tmp_path / "mark").touch()
    assert CHANGE.reboot_reasons([]) == ["the system asks for it"]


@as_root
def test_hooks_run_in_order_up_to_the_one_that_fails(tmp_path: Path) -> None:
    folder = tmp_path / "drain.d"
    folder.mkdir()
    for name, script in (("10-a", "echo a"), ("20-b", "echo no room >&2; exit 3"), ("30-c", "echo c")):
        (folder / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran-{name}\n{script}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    (folder / "05-off").write_text("not executable", encoding="utf-8")
    host = CHANGE.Host(SimpleNamespace(params={"hooks": str(tmp_path)}))
    assert host.hooks("drain") == f"the hook {folder}/20-b ended with 3: no room"
    assert sorted(path.name for path in tmp_path.glob("ran-*")) == ["ran-10-a", "ran-20-b"]
    assert host.hooks("undrain") == ""


@as_root
def test_a_hook_that_others_may_write_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "drain.d").mkdir()
    hook = tmp_path / "drain.d" / "10"
    hook.write_text("#!/bin/sh\n", encoding="utf-8")
    hook.chmod(0o775)
    host = CHANGE.Host(SimpleNamespace(params={"hooks": str(tmp_path)}))
    assert "is not root's alone to write" in host.hooks("drain")
