"""What a host that goes is asked to lose: its secrets and the keys that let people in, Ansible's own last."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from content.role_content import load_plugin

RETIREMENT = load_plugin("plugins/modules/host_retirement.py")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two homes with secrets and keys, that of `ops` being Ansible's."""
    for name, files in {"ops": ["authorized_keys"], "kim": ["authorized_keys", "id_ed25519", "id_ed25519.pub"]}.items():
        folder = tmp_path / name / ".ssh"
        folder.mkdir(parents=True)
        for file in files:
            (folder / file).write_text("text", encoding="utf-8")
    (tmp_path / "kim" / ".pgpass").write_text("secret", encoding="utf-8")
    monkeypatch.setattr(RETIREMENT, "_HOMES", (str(tmp_path / "*"),))
    monkeypatch.setattr(RETIREMENT, "_SECRETS", ())
    monkeypatch.setattr(RETIREMENT, "_HOST_KEYS", (str(tmp_path / "kim" / ".ssh" / "authorized_keys"),))
    monkeypatch.setattr(RETIREMENT, "_KEY_FILES", ())
    monkeypatch.setattr(RETIREMENT.pwd, "getpwnam", lambda name: SimpleNamespace(pw_dir=str(tmp_path / name)))
    monkeypatch.setenv("SUDO_USER", "ops")
    return tmp_path


def names(paths: list[str], home: Path) -> list[str]:
    """Return paths from the folder of homes on."""
    return [os.path.relpath(path, home) for path in paths]


def test_secrets_go_and_public_halves_stay(home: Path) -> None:
    found = names(RETIREMENT.secrets(close=False), home)
    assert sorted(found) == ["kim/.pgpass", "kim/.ssh/id_ed25519"]
    assert len(RETIREMENT.secrets(close=True)) == 3


@pytest.mark.parametrize(
    ("close", "expected"),
    [(False, ["kim/.ssh/authorized_keys"]), (True, ["kim/.ssh/authorized_keys", "ops/.ssh/authorized_keys"])],
)
def test_the_key_of_ansible_goes_last_or_not_at_all(home: Path, close: bool, expected: list[str]) -> None:
    host = RETIREMENT.Retirement(SimpleNamespace(params={"close": close}))
    assert names(host.key_files(), home) == expected


def test_what_is_wiped_is_gone_and_a_link_leads_nowhere_else(tmp_path: Path) -> None:
    secret, other, link = tmp_path / "secret", tmp_path / "other", tmp_path / "link"
    for path in (secret, other):
        path.write_text("text", encoding="utf-8")
    copy = tmp_path / "copy"
    copy.hardlink_to(secret)
    link.symlink_to(other)
    RETIREMENT.wipe(str(secret))
    RETIREMENT.wipe(str(link))
    assert not secret.exists()
    assert copy.read_bytes() == b"\0\0\0\0"
    assert other.read_text(encoding="utf-8") == "text"


@pytest.mark.parametrize("unit", ["ssh", "sshd.service", "ssh.socket"])
def test_the_way_in_is_not_stopped(unit: str) -> None:
    host = RETIREMENT.Retirement(SimpleNamespace(params={"units": [unit], "close": True}))
    assert "is not stopped" in host.refusal()
