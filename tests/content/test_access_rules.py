"""The rules of the role access: what is refused, and that Ansible is never shut out."""

from __future__ import annotations

import base64
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from content.role_content import load_plugin

RULES = load_plugin("plugins/filter/access.py")


def body(*fields: bytes) -> str:
    return base64.b64encode(b"".join(struct.pack(">I", len(field)) + field for field in fields)).decode()


ED25519 = "ssh-ed25519 " + body(b"ssh-ed25519", bytes(32))
OTHER = "ssh-ed25519 " + body(b"ssh-ed25519", b"\1" * 32)
LOGIN = {"name": "ansible", "groups": ["ansible", "sudo"], "over_ssh": True, "by_password": False}
OPEN = {"allow_users": [], "allow_groups": [], "password_authentication": False, "permit_root_login": "no"}


@pytest.mark.parametrize(
    "options",
    [["-t", "ed25519"], ["-t", "rsa", "-b", "2048"], ["-t", "ecdsa", "-b", "256"], ["-t", "ecdsa", "-b", "521"]],
)
def test_real_keys_are_taken(tmp_path: Path, options: list[str]) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", *options, "-N", "", "-C", "a b c", "-f", str(key)], check=True)
    line = key.with_suffix(".pub").read_text(encoding="ascii").strip()
    assert RULES.key_fault(line) == ""
    assert RULES.key_fault(f'from="10.0.0.0/8,!10.1.0.1",command="a b" {line}') == ""


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (ED25519[:-8], "damaged"),
        (ED25519 + "\n" + OTHER, "more than one line"),
        ("ssh-ed25519", "no known key type"),
        ("ssh-dss " + body(b"ssh-dss", bytes(32)), "no known key type"),
        ("ssh-ed25519 " + body(b"ssh-rsa", b"\1\0\1", b"\1" * 256), "no ssh-ed25519 key"),
        ("ssh-rsa " + body(b"ssh-rsa", b"\1\0\1", b"\1" * 128), "fewer than 2048 bits"),
        ("ssh-ed25519 ?!", "damaged"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "no known key type"),
        ("", "no text"),
        (" " + ED25519, "no text"),
        (None, "no text"),
    ],
)
def test_wrong_keys_are_named(line: object, says: str) -> None:
    (fault,) = RULES.access_faults([{"name": "team", "keys": [line]}])
    assert fault.startswith("team: SSH public key 1 ")
    assert says in fault


@pytest.mark.parametrize(
    "user",
    [
        {"name": "Team"},
        {"name": "9lives"},
        {"name": "a b"},
        {"name": "../etc"},
        {"name": "team\n"},
        {"name": "a" * 33},
        {"name": "root"},
        {"name": "team", "uid": 0},
        {"name": "team", "sudo": "yes"},
        {"name": "team", "sudo": []},
        {"name": "team", "sudo": ["systemctl restart x"]},
        {"name": "team", "sudo": ["/bin/a, ALL"]},
        {"name": "team", "sudo": ["/bin/a\nteam ALL=(ALL) ALL"]},
        {"name": "team", "sudo": ["/bin/*"]},
        {"name": "team", "sudo": ["!/bin/a"]},
        {"name": "team", "sudo": {"a": 1}},
        {"name": "team", "shell": "bash"},
        {"name": "team", "groups": ["a,b"]},
        {"name": "team", "comment": "a:b"},
    ],
    ids=str,
)
def test_wrong_accounts_are_named(user: dict[str, Any]) -> None:
    faults = RULES.access_faults([user])
    assert len(faults) == 1
    assert user["name"] in faults[0] or repr(user["name"]) in faults[0]


@pytest.mark.parametrize("sudo", ["none", "all", ["/usr/bin/systemctl restart nginx", r"/bin/a b\,c \=d"]])
def test_right_accounts_are_taken(sudo: object) -> None:
    user = {"name": "team-1", "uid": 1000, "groups": ["adm"], "shell": "/bin/sh", "keys": [ED25519], "sudo": sudo}
    assert RULES.access_faults([user]) == []


def test_an_account_is_listed_once() -> None:
    assert RULES.access_faults([{"name": "a"}, {"name": "a"}]) == ["a is in access_users 2 times"]


@pytest.mark.parametrize(
    ("users", "login", "policy", "says"),
    [
        ([], {}, {}, ""),
        ([{"name": "team"}], {}, {}, ""),
        ([{"name": "ansible", "state": "absent"}], {}, {}, "removes it"),
        ([{"name": "ansible", "keys": [ED25519]}], {}, {}, "root rights"),
        ([{"name": "ansible", "sudo": "all", "keys": [ED25519], "shell": "/usr/sbin/nologin"}], {}, {}, "shell"),
        ([{"name": "ansible", "sudo": "all", "keys": [ED25519 + " comment"]}], {}, {}, ""),
        ([{"name": "ansible", "sudo": "all", "keys": [OTHER]}], {}, {}, "lack the key"),
        ([{"name": "ansible", "sudo": "all", "keys": ['from="1.2.3.4" ' + ED25519]}], {}, {}, "lack the key"),
        ([{"name": "ansible", "sudo": "all"}], {"over_ssh": False}, {}, ""),
        ([], {"groups": ["ansible", "managed"]}, {}, "no longer names it"),
        ([], {}, {"allow_users": ["team"]}, "allow_users"),
        ([], {}, {"allow_users": ["team", "ansible"]}, ""),
        ([], {}, {"allow_groups": ["team"]}, "allow_groups"),
        ([], {}, {"allow_groups": ["sudo"]}, ""),
        ([{"name": "ansible", "sudo": "all", "keys": [ED25519]}], {}, {"allow_groups": ["sudo"]}, "allow_groups"),
        ([{"name": "ansible", "sudo": "all", "keys": [ED25519]}], {}, {"allow_groups": ["managed"]}, ""),
        ([], {"by_password": True}, {}, "password"),
        ([], {"by_password": True}, {"password_authentication": True}, ""),
        ([], {"name": "root", "groups": ["root"]}, {}, "permit_root_login is no"),
        ([], {"name": "root", "groups": ["root"]}, {"permit_root_login": "prohibit-password"}, ""),
        (
            [],
            {"name": "root", "groups": ["root"], "by_password": True},
            {"permit_root_login": "prohibit-password", "password_authentication": True},
            "not yes",
        ),
    ],
)
def test_ansible_is_never_shut_out(
    users: list[dict[str, Any]], login: dict[str, Any], policy: dict[str, Any], says: str
) -> None:
    fault = RULES.access_login_fault(users, {**LOGIN, **login}, {**OPEN, **policy}, [ED25519], "managed")
    assert (says in fault) if says else fault == ""


def test_a_key_that_is_not_known_is_asked_for() -> None:
    user = {"name": "ansible", "sudo": "all", "keys": [ED25519]}
    assert "access_connection_keys" in RULES.access_login_fault([user], LOGIN, OPEN, [], "managed")


def test_the_answer_of_id_is_read() -> None:
    assert RULES.parse_id("uid=1000(ops) gid=1000(ops) groups=1000(ops),27(sudo)\n") == {
        "name": "ops",
        "groups": ["ops", "sudo"],
    }
