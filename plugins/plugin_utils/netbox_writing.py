# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Records of NetBox that are written to, by pynetbox on the control node."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail

try:
    import pynetbox
    from requests import RequestException
except ImportError:
    pynetbox = None

_APPLICATIONS = {"device": "dcim", "virtual_machine": "virtualization"}
_KINDS = {"device": "devices", "virtual_machine": "virtual_machines"}
_NO_CLIENT = "the Python package pynetbox is missing on the control node; what writes to NetBox needs it"
# As the inventory plugin has them: the first that is set.
_URLS = ("NETBOX_URL", "NETBOX_API")
_TOKENS = ("NETBOX_TOKEN", "NETBOX_API_TOKEN")
_TOKEN_FILE = "NETBOX_TOKEN_FILE"  # noqa: S105 (its name)


def fault() -> str:
    """Return why nothing can be written from here, or an empty text."""
    if pynetbox is None:
        return _NO_CLIENT
    missing = [] if _of_the_environment(_URLS) else ["NETBOX_URL"]
    missing += [] if _of_the_environment((*_TOKENS, _TOKEN_FILE)) else ["NETBOX_TOKEN"]
    if not missing:
        return ""
    return "{0} {1} not set; NetBox cannot be written to without".format(
        " and ".join(missing), "is" if len(missing) == 1 else "are"
    )


def client() -> Any:  # noqa: ANN401 (pynetbox has no types)
    """Return the client of the NetBox that the environment names.

    Raises:
        AnsibleActionFail: pynetbox, the address or the token is missing.
    """
    wrong = fault()
    if wrong:
        raise AnsibleActionFail(wrong)
    return pynetbox.api(_of_the_environment(_URLS), token=_of_the_environment(_TOKENS) or _token_of_file())


def _of_the_environment(names: tuple[str, ...]) -> str:
    return next((os.environ[name] for name in names if os.environ.get(name)), "")


def _token_of_file() -> str:
    path = Path(os.environ[_TOKEN_FILE]).expanduser()
    try:
        token = path.read_text(encoding="utf-8").strip()
        wrong = "" if token else "is empty"
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        wrong = "cannot be read: {0}".format(why)
    if wrong:
        message = "the file with NetBox's token ({0}: {1}) {2}".format(_TOKEN_FILE, path, wrong)
        raise AnsibleActionFail(message)
    return token


def endpoint(named: Mapping[str, Any], kind: str) -> Any:  # noqa: ANN401
    """Return the endpoint of a kind of objects beside a record of this type.

    Raises:
        AnsibleActionFail: pynetbox, the address or the token is missing.
    """
    return getattr(getattr(client(), _APPLICATIONS[named["type"]]), kind)


def record_of(named: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Return the record of a host.

    Args:
        named: the host's variable `bedplate_netbox`.

    Raises:
        AnsibleActionFail: NetBox does not have it, refuses, or does not answer.
    """
    if named.get("type") not in _KINDS:
        message = "the inventory does not say which record of NetBox the host is (bedplate_netbox)"
        raise AnsibleActionFail(message)
    objects = endpoint(named, _KINDS[named["type"]])
    record = asked(lambda: objects.get(int(named["id"])))
    if record is None:
        message = "NetBox has no {0} {1} any more".format(named["type"].replace("_", " "), named["id"])
        raise AnsibleActionFail(message)
    return record


def asked(call: Callable[[], Any]) -> Any:  # noqa: ANN401
    """Return what NetBox answers; raise one sentence when it refuses or does not answer."""
    try:
        return call()
    except pynetbox.RequestError as error:
        message = "NetBox refused: {0}".format(" ".join(str(error).split())[:300])
    except RequestException as error:
        message = "NetBox does not answer: {0}".format(type(error).__name__)
    raise AnsibleActionFail(message)


def plain(value: Any) -> Any:  # noqa: ANN401
    """Return a value as it is written: of a choice, its value."""
    return getattr(value, "value", value)
