"""Digests, estimates and forks: what a run knows before it starts."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from bedplate.content import Content, find_content
from bedplate.execution.digest import content_digest, git_commit, product_digest
from bedplate.execution.surroundings import forks_for
from bedplate.launch.estimate import expected_seconds

ROOT = Path(__file__).parents[2]


def _plugin() -> ModuleType:
    spec = importlib.util.spec_from_file_location("content", ROOT / "plugins" / "plugin_utils" / "content.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def content(tmp_path: Path) -> Content:
    for name, text in {
        "galaxy.yml": "",
        "playbooks/a.yml": "a",
        "playbooks/products/a.yml": "m",
        "roles/b/tasks/main.yml": "b",
        "roles/B/files/ü": "c",
        "plugins/x.py": "d",
        "plugins/__pycache__/x.pyc": "no",
        "plugins/x.py~": "no",
        "roles/.hidden/y": "no",
        "README.md": "no",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "roles" / "link").symlink_to("b")
    return Content(tmp_path, tmp_path / "collections")


def test_the_digest_is_the_one_that_hosts_are_marked_with(content: Content) -> None:
    command = "find playbooks plugins roles -type f | grep -v -e pycache -e '~$' -e hidden | LC_ALL=C sort"
    shell = f"{command} | xargs sha256sum | sha256sum"
    said = subprocess.run(["bash", "-c", shell], cwd=content.root, capture_output=True, text=True, check=True)
    assert content_digest(content) == said.stdout.split()[0] == _plugin().content_digest(content.root)
    clone = find_content(ROOT)
    assert content_digest(clone) == _plugin().content_digest(ROOT)


def test_a_product_s_digest_covers_manifest_and_playbook_alone(content: Content) -> None:
    before = product_digest(content, "a", "playbooks/a.yml")
    (content.root / "plugins" / "x.py").write_text("other")
    assert product_digest(content, "a", "playbooks/a.yml") == before
    (content.root / "playbooks" / "a.yml").write_text("other")
    assert product_digest(content, "a", "playbooks/a.yml") != before


def test_the_commit_says_whether_content_was_changed(content: Content) -> None:
    assert git_commit(content) is None
    git = ["git", "-C", str(content.root), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *arguments], check=True)
    commit = git_commit(content)
    assert commit is not None
    assert len(commit) == 40
    (content.root / "README.md").write_text("this is no content")
    assert git_commit(content) == commit
    (content.root / "playbooks" / "a.yml").write_text("other")
    assert git_commit(content) == f"{commit}-dirty"


@pytest.mark.parametrize(
    ("durations", "hosts", "expected"),
    [([], 5, None), ([(10, 60.0)], 10, 60.0), ([(10, 60.0)], 20, 90.0), ([(1, 10.0), (1, 30.0), (1, 11.0)], 1, 11.0)],
)
def test_an_estimate_is_the_middle_of_what_was(
    durations: list[tuple[int, float]], hosts: int, expected: float | None
) -> None:
    assert expected_seconds(durations, hosts) == expected


@pytest.mark.parametrize(("hosts", "cores", "forks"), [(0, 2, 1), (3, 2, 3), (200, 2, 20), (5000, 64, 50)])
def test_forks_follow_hosts_and_cores(hosts: int, cores: int, forks: int) -> None:
    assert forks_for(hosts, cores) == forks
