"""How a run goes through its tasks: by ansible's own strategy, or in check mode by mitogen's, which is faster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from bedplate.errors import SettingsError
from bedplate.execution.surroundings import SYSTEM_PYTHON
from bedplate.runs import RunMode
from bedplate.settings import ExecutionSettings

LINEAR, MITOGEN = "linear", "mitogen"
_WHERE = "execution.strategy"
# Mitogen believes these of an inventory, and nothing may turn the checking of host keys off.
_KEYS_ARE_CHECKED = {"ansible_host_key_checking": True, "ansible_ssh_host_key_checking": True}


@dataclass(frozen=True)
class Strategy:
    """What tells ansible its strategy.

    Attributes:
        environment: variables of the process.
        variables: extra variables of the run.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, bool] = field(default_factory=dict)


def strategy_of(settings: ExecutionSettings, mode: RunMode) -> Strategy:
    """Return the strategy of a run; that of one which changes hosts is always ansible's own.

    Raises:
        SettingsError: there is no such strategy, or mitogen is asked for and not installed.
    """
    if settings.strategy not in {LINEAR, MITOGEN}:
        raise SettingsError(f"must be {LINEAR} or {MITOGEN}, not {settings.strategy!r}", where=_WHERE)
    if settings.strategy == LINEAR:
        return Strategy()
    plugins = _mitogen_plugins()  # what cannot work is said before a run that would go without it, too
    if mode is not RunMode.CHECK:
        return Strategy()
    # Where mitogen found Python on a host, it would look on hosts that a task is delegated to.
    environment = {"ANSIBLE_STRATEGY": "mitogen_linear", "ANSIBLE_STRATEGY_PLUGINS": str(plugins), **SYSTEM_PYTHON}
    return Strategy(environment, _KEYS_ARE_CHECKED)


def _mitogen_plugins() -> Path:
    """Return the folder of mitogen's strategies, without importing any of it."""
    package = find_spec("ansible_mitogen")
    places = package.submodule_search_locations if package else None
    if not places:
        raise SettingsError("mitogen is not installed", where=_WHERE, hint="pip install 'bedplate[mitogen]'")
    return Path(places[0], "plugins", "strategy")
