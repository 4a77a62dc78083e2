"""The hosts that are judged, and how to reach them."""

from __future__ import annotations

import shlex
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

# Seconds: sshd of Debian 13 refuses for a while who left without logging in several times, as ssh-audit does.
_REFUSED_SECONDS = 120
# By ssh's exit code.
_NO_CONNECTION = 255


class AuditError(Exception):
    """A judge could not do its work; the message says which, where and why."""


@dataclass(frozen=True)
class Host:
    """A host at the baseline, reached by its name in an ssh_config.

    Attributes:
        observer_name: the host that scrapes it and takes its logs, perhaps itself.
        neighbor_name: another host, which has nothing to do with it.
    """

    name: str
    ssh_config: Path
    observer_name: str
    neighbor_name: str

    @property
    def observer(self) -> Host:
        return replace(self, name=self.observer_name)

    @property
    def neighbor(self) -> Host:
        return replace(self, name=self.neighbor_name)

    def run(self, command: str, *, text_in: str = "") -> str:
        """Run a shell command as root and return what it printed.

        Raises:
            AuditError: it failed.
        """
        words = ["ssh", "-F", self.ssh_config, self.name, "sudo", "sh", "-c", shlex.quote(command)]
        deadline = time.monotonic() + _REFUSED_SECONDS
        while True:
            done = subprocess.run(words, input=text_in, capture_output=True, text=True, check=False)
            if done.returncode != _NO_CONNECTION or time.monotonic() > deadline:
                break
            time.sleep(5)
        if done.returncode:
            raise AuditError(f"{self.name}: {command!r} failed: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    @property
    def address(self) -> tuple[str, int]:
        """Where its sshd listens."""
        done = subprocess.run(
            ["ssh", "-F", self.ssh_config, "-G", self.name], capture_output=True, text=True, check=True
        )
        settings = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
        return settings["hostname"], int(settings["port"])

    @property
    def is_container(self) -> bool:
        """Whether it shares the kernel of the machine around it."""
        return self.run("systemd-detect-virt --container || true").strip() not in ("none", "")
