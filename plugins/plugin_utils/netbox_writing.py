# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Records of NetBox that are written to, by pynetbox on the control node."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
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


def endpoint(named: Mapping[str, Any], kind: str) -> Any:  # noqa: ANN401 (pynetbox has no types)
    """Return the endpoint of a kind of objects beside a record of this type.

    Raises:
        AnsibleActionFail: pynetbox, NETBOX_URL or NETBOX_TOKEN is missing.
    """
    if pynetbox is None:
        raise AnsibleActionFail(_NO_CLIENT)
    missing = [name for name in ("NETBOX_URL", "NETBOX_TOKEN") if not os.environ.get(name)]
    if missing:
        message = "{0} is not set; NetBox cannot be written to without it".format(" and ".join(missing))
        raise AnsibleActionFail(message)
    client = pynetbox.api(os.environ["NETBOX_URL"], token=os.environ["NETBOX_TOKEN"])
    return getattr(getattr(client, _APPLICATIONS[named["type"]]), kind)


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
