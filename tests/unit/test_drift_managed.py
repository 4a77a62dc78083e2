"""The table that says which resources a task manages."""

from __future__ import annotations

from typing import Any

import pytest

from bedplate.drift.managed import NEUTRAL, TABLE, is_neutral, managed
from content.role_content import ROLES, ROOT, read_yaml, role_tasks

COMMANDS = {"ansible.builtin.command", "ansible.builtin.shell"}


@pytest.mark.parametrize(
    ("action", "arguments", "result", "named"),
    [
        ("ansible.builtin.template", {"dest": "/etc"}, {"dest": "/etc/x"}, [("file", "/etc/x")]),
        ("ansible.legacy.copy", {"dest": "/etc/x"}, {}, [("file", "/etc/x")]),
        ("copy", {"dest": "/etc//x/"}, {}, [("file", "/etc/x")]),
        ("ansible.builtin.file", {"path": "/x", "state": "directory"}, {}, [("meta", "/x")]),
        ("ansible.builtin.file", {"path": "/x", "state": "absent"}, {}, [("file", "/x")]),
        ("ansible.builtin.apt", {"name": ["a=1", "b"]}, {}, [("package", "a"), ("package", "b")]),
        ("ansible.builtin.apt", {"update_cache": True}, {}, []),
        ("ansible.builtin.systemd", {"name": "x"}, {}, [("unit", "x.service")]),
        ("ansible.builtin.systemd", {"name": "x.timer", "scope": "user"}, {}, []),
        ("ansible.builtin.cron", {"name": "n", "cron_file": "f"}, {}, [("file", "/etc/cron.d/f")]),
        (
            "bedplate.datacenter.root_files",
            {
                "files": [
                    {"path": "/a", "content": ""},
                    {"path": "/b", "settings": {"x": 1}, "content": None},
                    {"path": "/c*", "state": "present"},
                    {"path": "/d", "state": "present"},
                    {"path": "/e", "content": "x", "state": "untouched"},
                    {"path": "/f", "content": None, "state": "absent"},
                ]
            },
            {},
            [("file", "/a"), ("file", "/b"), ("pattern", "/c*"), ("meta", "/d"), ("file", "/f")],
        ),
        (
            "bedplate.datacenter.folder_files",
            {"path": "/f", "files": {"a": ""}},
            {},
            [("folder", "/f"), ("file", "/f/a")],
        ),
        ("bedplate.datacenter.packages_present", {"name": ["a", "b"]}, {}, [("package", "a"), ("package", "b")]),
        ("bedplate.datacenter.packages_absent", {"name": ["a"]}, {}, [("package", "a")]),
        (
            "bedplate.datacenter.service_current",
            {"name": None, "units": [{"name": "a"}, {"name": "b.timer"}]},
            {},
            [("unit", "a.service"), ("unit", "b.timer")],
        ),
        (
            "bedplate.datacenter.host_certificate",
            {"path": "/tls/"},
            {},
            [
                (kind, key, "certificate", "/tls", "content")
                for kind, key in (
                    ("meta", "/tls"),
                    ("file", "/tls/host.key"),
                    ("file", "/tls/host.pem"),
                    ("file", "/tls/ca.pem"),
                )
            ],
        ),
        (
            "bedplate.datacenter.host_files",
            {"folders": [{"path": "/d"}], "files": [{"path": "/d/f"}]},
            {},
            [("meta", "/d"), ("file", "/d/f")],
        ),
        ("bedplate.datacenter.sysctl_values", {"values": {"a.b": 1}}, {}, [("sysctl", "a.b")]),
        ("bedplate.datacenter.mount_options", {"mounts": {"/tmp": ["nodev"]}}, {}, [("mount", "/tmp")]),
        (
            "bedplate.datacenter.firewall_ruleset",
            {"path": "/etc/r", "content": ""},
            {},
            [("file", "/etc/r"), ("firewall", "inet bedplate")],
        ),
        (
            "bedplate.datacenter.apt_sources",
            {"files": {"a.sources": ""}, "distribution": "d.sources"},
            {},
            [
                (("file"), f"/etc/apt/{name}")
                for name in ("sources.list.d/a.sources", "sources.list.d/d.sources", "sources.list")
            ],
        ),
    ],
)
def test_what_tasks_manage(action: str, arguments: dict[str, Any], result: dict[str, Any], named: list[Any]) -> None:
    assert managed(action, arguments, result) == named


def test_of_other_modules_nobody_knows() -> None:
    assert managed("community.general.unheard_of", {"path": "/x"}, {}) is None
    assert managed("ansible.builtin.command", {"argv": ["true"]}, {}) is None


def test_every_module_that_roles_use_has_a_row_or_manages_nothing() -> None:
    plays = [play for path in (ROOT / "playbooks").glob("*.yml") for play in read_yaml(path)]
    tasks = [task for role in ROLES for task in role_tasks(role)] + [
        task for play in plays for task in play.get("tasks", [])
    ]
    used = {key for task in tasks for key in task if key.count(".") == 2}
    assert used - COMMANDS <= TABLE.keys() | NEUTRAL
    assert not TABLE.keys() & NEUTRAL


def test_every_module_of_ours_is_in_the_table() -> None:
    ours = {f"bedplate.datacenter.{path.stem}" for path in (ROOT / "plugins" / "modules").glob("*.py")}
    assert {name for name in ours if not is_neutral(name)} <= TABLE.keys()
