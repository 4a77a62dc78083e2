"""Receivers: names that manifests use, and the addresses behind them, which may hold credentials.

One YAML file, named by the setting `notifications.file`, that only its owner (or group) may read:

    receivers:
      platform: ["slack://…", "mailto://…"]
      on_call: ["env:BEDPLATE_ON_CALL_URL"]
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bedplate.errors import SettingsError
from bedplate.settings import Settings

_ENVIRONMENT = "env:"


@dataclass(frozen=True)
class Receivers:
    """Apprise's addresses by the receiver's name. They are secret: never show one."""

    by_name: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    def addresses(self, name: str) -> tuple[str, ...]:
        """Return the addresses of a receiver.

        Raises:
            SettingsError: there is no such receiver, or a variable that an address stands in is not set.
        """
        if name not in self.by_name:
            known = ", ".join(sorted(self.by_name)) or "none"
            raise SettingsError(f"there is no receiver {name}", where="notifications.file", hint=f"known are {known}")
        return tuple(_address(name, text) for text in self.by_name[name])

    def all(self) -> dict[str, tuple[str, ...]]:
        """Return the addresses of every receiver, by name. Raises SettingsError as `addresses`."""
        return {name: self.addresses(name) for name in self.by_name}


def _address(name: str, text: str) -> str:
    if not text.startswith(_ENVIRONMENT):
        return text
    variable = text.removeprefix(_ENVIRONMENT)
    if not os.environ.get(variable):
        raise SettingsError(f"the variable {variable} is not set", where=f"receiver {name}")
    return os.environ[variable]


def load_receivers(settings: Settings) -> Receivers:
    """Return the receivers of the file that `notifications.file` names; none where none is named.

    Raises:
        SettingsError: the file cannot be read, is open to everybody, or is not as it must be.
    """
    if not settings.notifications.file:
        return Receivers()
    file = Path(settings.notifications.file).expanduser()
    try:
        if file.stat().st_mode & stat.S_IROTH:
            raise SettingsError("may be read by everybody, and addresses hold credentials", where=str(file),
                                hint="chmod o= it")  # fmt: skip
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror}", where=str(file)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError("is not YAML", where=str(file)) from error
    return Receivers(_checked(data, str(file)))


def _checked(data: Any, where: str) -> dict[str, tuple[str, ...]]:  # noqa: ANN401
    receivers = data.get("receivers") if isinstance(data, dict) and set(data) == {"receivers"} else None
    if not isinstance(receivers, dict):
        raise SettingsError("must have the one key receivers, with a list of addresses for each name", where=where)
    for name, addresses in receivers.items():
        if not isinstance(name, str) or not isinstance(addresses, list) or not addresses:
            raise SettingsError("must be a list of addresses", where=f"{where}: receivers.{name}")
        if not all(isinstance(address, str) for address in addresses):
            raise SettingsError("must be a list of addresses, each a text", where=f"{where}: receivers.{name}")
    return {name: tuple(addresses) for name, addresses in receivers.items()}
