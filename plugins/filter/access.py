# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""What is wrong with a list of accounts, and whether it would cut off the account that Ansible comes in with."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from typing import Any

_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}\Z")
_KEY_TYPES = {
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
}
_LEAST_RSA_BITS = 2048
# sudoers gives these a meaning of their own; an argument that needs one is written with a backslash before it.
_SUDO_COMMAND = re.compile(r"/[^\s,:=\\!#\"'*?\[]+( (\\[,:=\\ ]|[^,:=\\\n\r#!])*)?\Z")
_NO_LOGIN_SHELLS = ("nologin", "false")


def split_key(line: str) -> tuple[str, str, str]:
    """Return the options, the type and the base64 text of one authorized key; empty strings where there are none."""
    words = line.split(" ")
    for position, word in enumerate(words[:-1]):
        if word in _KEY_TYPES:
            return " ".join(words[:position]), word, words[position + 1]
    return "", "", ""


def _fields(blob: bytes) -> list[bytes]:
    """Split the body of a public key into its length-prefixed fields; raises ValueError when they do not fit."""
    fields, position = [], 0
    while position < len(blob):
        if position + 4 > len(blob):
            raise ValueError("cut short")
        (length,) = struct.unpack(">I", blob[position : position + 4])
        position += 4
        if position + length > len(blob):
            raise ValueError("cut short")
        fields.append(blob[position : position + length])
        position += length
    return fields


def key_fault(line: object) -> str:
    """Return what is wrong with one line of authorized keys, or an empty string."""
    if not isinstance(line, str) or not line.strip() or line != line.strip():
        return "is no text of one key"
    if "\n" in line or "\r" in line:
        return "holds more than one line"
    _, kind, text = split_key(line)
    if not kind:
        return "has no known key type (such as ssh-ed25519) followed by a key"
    try:
        return _body_fault(kind, _fields(base64.b64decode(text, validate=True)))
    except (binascii.Error, ValueError):
        return "is damaged: its text is not a whole key"


def _body_fault(kind: str, fields: list[bytes]) -> str:
    if len(fields) < 2 or fields[0] != kind.encode() or (kind == "ssh-ed25519" and len(fields[1]) != 32):
        return "is damaged: its text is no {0} key".format(kind)
    if kind == "ssh-rsa" and (len(fields) != 3 or int.from_bytes(fields[2], "big").bit_length() < _LEAST_RSA_BITS):
        return "is an RSA key of fewer than {0} bits".format(_LEAST_RSA_BITS)
    return ""


def _name_faults(user: dict) -> list[str]:
    name = user["name"]
    if not _NAME.match(name):
        return [
            "{0!r} is no account name: lower-case letters, digits, _ and -, beginning with a letter or _, "
            "at most 32 characters".format(name)
        ]
    if name == "root":
        return ["root cannot be one of access_users: it is not a team's account"]
    if not isinstance(user.get("uid", 1000), int) or not 1000 <= user.get("uid", 1000) < 2**32 - 1:
        return ["{0}: uid {1} is not one of a person's or team's account (1000 and above)".format(name, user["uid"])]
    return []


def _key_faults(user: dict) -> list[str]:
    faults = []
    for number, line in enumerate(user.get("keys") or [], 1):
        fault = key_fault(line)
        if fault:
            faults.append("{0}: SSH public key {1} {2}".format(user["name"], number, fault))
    return faults


def _sudo_faults(user: dict) -> list[str]:
    name, sudo = user["name"], user.get("sudo", "none")
    if isinstance(sudo, str):
        if sudo in ("none", "all"):
            return []
        return ["{0}: sudo is {1!r}; it is none, all or a list of commands".format(name, sudo)]
    if not isinstance(sudo, (list, tuple)) or not sudo:
        return ["{0}: sudo is none, all or a list of commands".format(name)]
    return [
        "{0}: {1!r} is no command for sudo: an absolute path without wildcards, then its arguments, "
        "with a backslash before , : = and \\".format(name, command)
        for command in sudo
        if not isinstance(command, str) or not _SUDO_COMMAND.match(command)
    ]


def _other_faults(user: dict) -> list[str]:
    name, shell = user["name"], user.get("shell", "/bin/bash")
    faults = [
        "{0}: {1!r} is no group name".format(name, group)
        for group in user.get("groups") or []
        if not isinstance(group, str) or not _NAME.match(group)
    ]
    if not re.match(r"/[A-Za-z0-9_./-]+\Z", shell):
        faults.append("{0}: shell {1!r} is no absolute path".format(name, shell))
    if re.search(r"[:\n\r]", user.get("comment", "")):
        faults.append("{0}: its comment may not hold a colon or a line end".format(name))
    return faults


def access_faults(users: list[dict]) -> list[str]:
    """Return one sentence for each fault in a list of accounts, each naming the account."""
    names = [user["name"] for user in users]
    twice = sorted({name for name in names if names.count(name) > 1})
    faults = ["{0} is in access_users {1} times".format(name, names.count(name)) for name in twice]
    for user in users:
        faults.extend(_name_faults(user) + _key_faults(user) + _sudo_faults(user) + _other_faults(user))
    return faults


def complete_accounts(users: list[dict]) -> list[dict]:
    """Return the accounts with every key that tasks and templates read; `authorized_keys` is the text of its file."""
    return [
        {
            "groups": [],
            "shell": "/bin/bash",
            "sudo": "none",
            "state": "present",
            "remove_home": False,
            **user,
            "authorized_keys": "".join("{0}\n".format(key) for key in user.get("keys") or []),
        }
        for user in users
    ]


def parse_id(text: str) -> dict[str, Any]:
    """Return account and groups from what `id` printed: "uid=1000(ops) gid=1000(ops) groups=1000(ops),27(sudo)"."""
    parts = dict(part.split("=", 1) for part in text.split() if "=" in part)
    return {
        "name": parts["uid"].partition("(")[2].rstrip(")"),
        "groups": [group.partition("(")[2].rstrip(")") for group in parts["groups"].split(",")],
    }


def _managed_fault(user: dict, login: dict, keys_in_use: list[str]) -> str:
    """Return how its own entry would cut off the account that Ansible comes in with, or an empty string."""
    if user.get("state", "present") == "absent":
        return "access_users removes it"
    if user.get("shell", "/bin/bash").rsplit("/", 1)[-1] in _NO_LOGIN_SHELLS:
        return "access_users gives it a shell that nobody can log in to"
    if user.get("sudo", "none") != "all":
        return "access_users does not leave it the root rights that Ansible needs (sudo: all)"
    if not login["over_ssh"]:
        return ""
    in_use = {split_key(key)[1:] for key in keys_in_use} - {("", "")}
    if not in_use:
        return (
            "access_users makes its keys exclusive, and which key Ansible uses is not known here: "
            "name its public half in access_connection_keys"
        )
    # A key with options, such as from=, may not admit Ansible.
    unrestricted = {split_key(key)[1:] for key in user.get("keys") or [] if not split_key(key)[0]}
    return "" if in_use & unrestricted else "its keys in access_users lack the key that Ansible uses"


def _policy_fault(login: dict, policy: dict) -> str:
    """Return how sshd's settings would cut off the account, or an empty string."""
    if policy["allow_users"] and login["name"] not in policy["allow_users"]:
        return "access_ssh_allow_users does not name it"
    if policy["allow_groups"] and not set(policy["allow_groups"]) & set(login["groups"]):
        return "access_ssh_allow_groups names none of its groups ({0})".format(", ".join(login["groups"]))
    if login["by_password"] and not policy["password_authentication"]:
        return "it logs in with a password, and access_ssh_password_authentication is false"
    if login["name"] == "root" and policy["permit_root_login"] == "no":
        return "access_ssh_permit_root_login is no"
    if login["name"] == "root" and login["by_password"] and policy["permit_root_login"] != "yes":
        return "it logs in as root with a password, and access_ssh_permit_root_login is not yes"
    return ""


def access_login_fault(users: list[dict], login: dict, policy: dict, keys_in_use: list[str], group: str) -> str:
    """Return how the role would cut off the account that Ansible comes in with, or an empty string.

    Args:
        users: the accounts, already free of `access_faults`.
        login: name and groups (see `access_id`), over_ssh, by_password.
        policy: allow_users, allow_groups, password_authentication, permit_root_login.
        keys_in_use: public keys of which Ansible uses one.
        group: the group of the accounts whose keys the role keeps.
    """
    own = [user for user in users if user["name"] == login["name"]]
    if own:
        fault = _managed_fault(own[0], login, keys_in_use)
        groups = [login["name"], group, *(own[0].get("groups") or [])]
        login = dict(login, groups=groups)
    elif group in login["groups"] and login["over_ssh"]:
        fault = "access_users no longer names it, although the role keeps its keys"
    else:
        fault = ""
    if not fault and login["over_ssh"]:
        fault = _policy_fault(login, policy)
    return fault


class FilterModule:
    """Filters of the role access."""

    def filters(self) -> dict[str, Any]:
        return {
            "access_accounts": complete_accounts,
            "access_faults": access_faults,
            "access_id": parse_id,
            "access_login_fault": access_login_fault,
        }
