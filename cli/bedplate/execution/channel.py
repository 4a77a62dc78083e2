"""Our side of the channel to an ansible process: what it must know and what it tells, through memory only."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

from bedplate.errors import EngineError
from bedplate.execution.feed import END, EXIT, PID

_PIPE_SIZE = 1 << 20
_CHUNK = 1 << 18


class EngineChannel:
    """A document for the ansible process, its events, and the secrets that it finds out.

    The process opens everything by `/proc/<our pid>/fd/<n>`: it can be read by nobody else, is in no file system,
    and is gone when this process is.

    Raises:
        EngineError: the operating system does not offer this.
    """

    def __init__(self) -> None:
        try:
            self._document = os.memfd_create("bedplate-document")
            self._secrets = os.memfd_create("bedplate-secrets")
            self._reading, self._writing = os.pipe2(os.O_CLOEXEC)
        except (AttributeError, OSError) as error:
            raise EngineError("cannot share memory with ansible", hint="Linux with memfd_create is needed") from error
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._writing, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
        self.pid: int | None = None
        self.exit_code: int | None = None
        self._take: Callable[[bytes], None] = lambda _event: None
        self._ended = False
        self._secrets_read = 0
        self._thread = threading.Thread(target=self._read, name="bedplate-events", daemon=True)

    @property
    def path(self) -> str:
        """Where the ansible process finds the document."""
        return _path(self._document)

    def offer(self, document: Mapping[str, Any]) -> None:
        """Put the document there, with the places of events and secrets in it.

        Raises:
            EngineError: /proc is not there.
        """
        places = {"events": _path(self._writing), "secrets": _path(self._secrets)}
        os.pwrite(self._document, json.dumps({**document, **places}).encode(), 0)
        if not os.access(self.path, os.R_OK):
            raise EngineError("cannot be read", where=self.path, hint="/proc must be mounted and show own processes")

    def listen(self, take: Callable[[bytes], None]) -> None:
        """Give each event, as JSON, to `take` as it comes; from a thread that must not wait."""
        self._take = take
        self._thread.start()

    def drain(self) -> None:
        """Return when every event that was sent has been given on."""
        if self._thread.is_alive():
            os.write(self._writing, END + b"\n")
            self._thread.join()

    def new_secrets(self) -> list[str]:
        """Return the secrets that were found out since the last call."""
        end = os.fstat(self._secrets).st_size
        if end <= self._secrets_read:
            return []
        content = os.pread(self._secrets, end - self._secrets_read, self._secrets_read)
        whole = content[: content.rfind(b"\n") + 1]
        self._secrets_read += len(whole)
        return [json.loads(line) for line in whole.splitlines()]

    def close(self) -> None:
        """Let go of all memory."""
        self.drain()
        for descriptor in (self._document, self._secrets, self._reading, self._writing):
            os.close(descriptor)

    def _read(self) -> None:
        rest = b""
        while not self._ended:
            *lines, rest = (rest + os.read(self._reading, _CHUNK)).split(b"\n")
            for line in lines:
                self._take_in(line)

    def _take_in(self, line: bytes) -> None:
        if line.startswith(b"{"):
            self._take(line)
        elif line == END:
            self._ended = True
        elif line.startswith(PID):
            self.pid = int(line[len(PID) :])
        elif line.startswith(EXIT):
            self.exit_code = int(line[len(EXIT) :])


def _path(descriptor: int) -> str:
    return f"/proc/{os.getpid()}/fd/{descriptor}"
