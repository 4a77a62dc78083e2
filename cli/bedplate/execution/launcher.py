"""Starts ansible-playbook inside this process, with what must not lie on a disk or in a process list.

Run as a file, with the path of a document in the memory of the process that started it. It makes sure that nothing of
the run outlives that process: not ansible, not its workers, not their temporary files.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))

from bedplate.execution import feed

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Read the document, take precautions, become ansible-playbook."""
    source = sys.argv[1]
    parent = int(source.split("/")[2])
    end_with_parent(parent, signal.SIGKILL)
    document = json.loads(Path(source).read_bytes())
    sweep_after_end(Path(document["temporary"]))
    events = feed.EventFeed(os.open(document["events"], os.O_WRONLY | os.O_CLOEXEC))
    secrets = feed.SecretFeed(document["secrets"])
    events.send(feed.PID + b"%d\n" % os.getpid())
    end_workers_with_us()
    os.environ.clear()
    os.environ.update(document["environment"])
    os.environ["BEDPLATE_EVENTS"] = str(events.descriptor)
    code = play([*document["arguments"], "-e", document["variables"]], secrets)
    events.send(feed.EXIT + b"%d\n" % code)
    sys.exit(code)


def end_with_parent(parent: int, number: int) -> None:
    """Have the kernel send us a signal when our parent dies; end at once if it did so before."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def end_workers_with_us() -> None:
    """Let each process that we fork end with us. A worker passes SIGTERM on to what it started."""
    forking = [0]

    def remember() -> None:
        forking[0] = os.getpid()

    os.register_at_fork(before=remember, after_in_child=lambda: end_with_parent(forking[0], signal.SIGTERM))


def sweep_after_end(folder: Path) -> None:
    """Start a process that removes the folder as soon as this one and its workers are gone, however they end."""
    reading, writing = os.pipe()
    if os.fork():
        os.close(reading)
        return
    os.setsid()
    os.close(writing)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)
    os.read(reading, 1)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def play(arguments: list[str], secrets: feed.SecretFeed) -> int:
    """Run ansible-playbook and return its exit code. The arguments are in no process list."""
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    sys.argv = [program]
    from ansible.cli.playbook import PlaybookCLI  # noqa: PLC0415 (reads the environment when it is imported)
    from ansible.parsing.vault import VaultLib  # noqa: PLC0415

    VaultLib.decrypt_and_get_vault_id = _telling(VaultLib.decrypt_and_get_vault_id, secrets)
    try:
        PlaybookCLI.cli_executor([program, *arguments])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _telling(decrypt: Callable[..., Any], secrets: feed.SecretFeed) -> Callable[..., Any]:
    def decrypt_and_tell(vault: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        found = decrypt(vault, *args, **kwargs)
        secrets.tell(bytes(found[0]))
        return found

    return decrypt_and_tell


if __name__ == "__main__":
    main()
