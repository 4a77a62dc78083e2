"""Records that wait on disk until the store can take them: one file a run, in one folder for all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from bedplate.errors import EngineError, NotFoundError
from bedplate.execution.files import make_private, open_private
from bedplate.execution.records import Record, run_from_json, run_to_json
from bedplate.runs import Run, RunRepository


class Spool:
    """The waiting records of one run, oldest first. The first line is the run itself.

    Args:
        run: the run, as it was when it began.
        folder: where such files are; made when it is needed.
    """

    def __init__(self, run: Run, folder: Path) -> None:
        self._run = run
        self._file = folder / f"{run.id}.jsonl"
        self._saved = 0
        self._unwritten: list[Record] = []

    @classmethod
    def waiting_in(cls, folder: Path) -> Iterator[Spool]:
        """Yield what waits in a folder and can be read."""
        for file in sorted(folder.glob("*.jsonl")):
            try:
                with file.open(encoding="utf-8") as stream:
                    yield cls(run_from_json(stream.readline()), folder)
            except (OSError, ValueError, TypeError):
                continue

    @property
    def run(self) -> Run:
        return self._run

    @property
    def waiting(self) -> bool:
        return bool(self._unwritten) or self._file.exists()

    def keep(self, record: Record) -> None:
        """Keep a record: in the folder, or in memory while the disk is full."""
        self._unwritten.append(record)
        try:
            make_private(self._file.parent)
            size = self._file.stat().st_size if self._file.exists() else 0
            try:
                with open_private(self._file) as stream:
                    if size == 0:
                        stream.write(run_to_json(self._run) + "\n")
                    stream.writelines(kept.to_json() + "\n" for kept in self._unwritten)
            except OSError:
                os.truncate(self._file, size)
                return
        except (OSError, EngineError):
            return
        self._unwritten.clear()

    def save(self, store: RunRepository) -> None:
        """Write everything to the store and forget it.

        Raises:
            StoreError: the store cannot take it; what is left waits on.
        """
        if self._file.exists():
            self._ensure_run(store)
            with self._file.open("rb") as stream:
                stream.seek(self._saved)
                if self._saved == 0:
                    stream.readline()
                for line in iter(stream.readline, b""):
                    self._save_line(store, line)
                    self._saved = stream.tell()
            self._file.unlink()
            self._saved = 0
        while self._unwritten:
            self._unwritten[0].save(store, self._run.id)
            del self._unwritten[0]

    def _save_line(self, store: RunRepository, line: bytes) -> None:
        try:
            record = Record.from_json(line.decode())
        except ValueError:
            return  # cut off by a crash in the middle of a write
        record.save(store, self._run.id)

    def _ensure_run(self, store: RunRepository) -> None:
        try:
            store.get(self._run.id)
        except NotFoundError:
            store.add(self._run)
