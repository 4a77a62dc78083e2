# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""A systemd unit: its state, and whether it is well and stays so."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from typing import Any

_PROPERTIES = (
    "ActiveState",
    "SubState",
    "Result",
    "LoadState",
    "UnitFileState",
    "MainPID",
    "NRestarts",
    "FragmentPath",
    "DropInPaths",
    "EnvironmentFiles",
    "ActiveEnterTimestamp",
)
_STEP = 0.25


class Unit:
    """One unit as systemd sees it.

    Args:
        module: the AnsibleModule that runs commands.
        name: the unit, with or without `.service`.
    """

    def __init__(self, module: Any, name: str) -> None:  # noqa: ANN401 (AnsibleModule, which only the host has)
        self._module = module
        self.name = name if "." in name else name + ".service"
        self.properties: dict[str, str] = {}
        self.read()

    def read(self) -> dict[str, str]:
        """Ask systemd for the unit's present state."""
        command = ["systemctl", "show", self.name, "--timestamp=unix", "--property=" + ",".join(_PROPERTIES)]
        _, out, _ = self._module.run_command(command)
        self.properties = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
        return self.properties

    @property
    def exists(self) -> bool:
        return self.properties.get("LoadState") not in ("not-found", "error", "bad-setting", None)

    @property
    def active(self) -> bool:
        return self.properties.get("ActiveState") in ("active", "reloading")

    @property
    def active_since(self) -> float:
        """When it became active, in seconds since the epoch; 0 is never."""
        stamp = self.properties.get("ActiveEnterTimestamp", "").lstrip("@")
        return float(stamp) if stamp.replace(".", "", 1).isdigit() else 0.0

    def state(self) -> str:
        """Return the state as people say it, such as `active (running)`."""
        return "{0} ({1})".format(self.properties.get("ActiveState"), self.properties.get("SubState"))

    def control(self, verb: str) -> str:
        """Run a verb of systemctl; return what it said when it failed, or an empty string."""
        code, out, err = self._module.run_command(["systemctl", verb, self.name])
        self.read()
        return "" if code == 0 else " ".join((err or out).split()) or "systemctl {0} ended with {1}".format(verb, code)

    def fault(self, health: str, seconds: float, stable: float) -> str:
        """Wait until the unit is well and stays so; return what is wrong with it, or an empty string.

        Args:
            health: an http(s) address that must answer with a status under 400, or `HOST:PORT` that must take a
                connection; empty for neither.
            seconds: how long it may take to get well.
            stable: for how many seconds it must stay up without a restart.
        """
        deadline = time.monotonic() + seconds
        fault = "it is {0}".format(self.state())
        while True:
            self.read()
            fault = answer_fault(health) if self.active else "it is {0}".format(self.state())
            if not fault or self.properties.get("ActiveState") == "failed" or time.monotonic() >= deadline:
                break
            time.sleep(_STEP)
        return fault or self._unstable(health, stable)

    def _unstable(self, health: str, stable: float) -> str:
        before = (self.properties.get("MainPID"), self.properties.get("NRestarts"))
        time.sleep(stable)
        self.read()
        if not self.active:
            return "it was up, and is {0} after {1:g} s".format(self.state(), stable)
        if (self.properties.get("MainPID"), self.properties.get("NRestarts")) != before:
            return "it did not stay up: systemd has started it again within {0:g} s".format(stable)
        return answer_fault(health)

    def last_lines(self, count: int = 5) -> list[str]:
        """Return the unit's last lines in the journal."""
        command = ["journalctl", "--unit", self.name, "--lines", str(count), "--no-pager", "--output", "cat", "--quiet"]
        _, out, _ = self._module.run_command(command)
        return [line[:300] for line in out.splitlines()]


def answer_fault(health: str, patience: float = 3.0) -> str:
    """Return why a health check is not passed, or an empty string."""
    if not health:
        return ""
    if health.startswith(("http://", "https://")):
        return _http_fault(health, patience)
    host, _, port = health.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=patience).close()
    except (OSError, ValueError) as error:
        return "{0} takes no connection: {1}".format(health, error)
    return ""


def _http_fault(url: str, patience: float) -> str:
    # No proxy of the environment: the question is what this host answers.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(url, timeout=patience).close()
    except urllib.error.HTTPError as error:
        return "{0} answers {1}".format(url, error.code)
    except (OSError, ValueError) as error:
        return "{0} does not answer: {1}".format(url, error)
    return ""
