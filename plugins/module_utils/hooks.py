# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Hooks: what whoever runs a service on a host wants done before and after the host is changed."""

from __future__ import annotations

import os
import subprocess

_SECONDS = 300


def run_hooks(folder: str, stage: str) -> str:
    """Run the executable files of `STAGE.d` in the order of their names; return what went wrong, or an empty string."""
    place = os.path.join(folder, stage + ".d")
    for name in sorted(os.listdir(place)) if os.path.isdir(place) else []:
        path = os.path.join(place, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            fault = _fault(path)
            if fault:
                return fault
    return ""


def _fault(path: str) -> str:
    status = os.stat(path)
    if status.st_uid != 0 or status.st_mode & 0o022:
        return "the hook {0} is not root's alone to write".format(path)
    try:
        done = subprocess.run([path], capture_output=True, stdin=subprocess.DEVNULL, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return "the hook {0} did not end within {1} s".format(path, _SECONDS)
    except OSError as error:
        return "the hook {0} cannot be run: {1}".format(path, error.strerror)
    said = " ".join((done.stderr or done.stdout).decode(errors="replace").split())[-300:]
    return "the hook {0} ended with {1}: {2}".format(path, done.returncode, said) if done.returncode else ""
