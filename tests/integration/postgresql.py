"""A throw-away PostgreSQL server from Debian's package: own folder, own port on loopback, own socket."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

_BINARIES = Path("/usr/lib/postgresql")
_START_SECONDS = 60


def require_postgresql() -> Path:
    """Return the folder of the newest installed server; without one, skip (fail where CI is set)."""
    found = sorted(_BINARIES.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3].split(".")[0]))
    if found:
        return found[-1].parent
    reason = "no PostgreSQL server here: apt-get install postgresql"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class PostgresqlServer:
    """One server that can be stopped, killed and started again.

    Args:
        binaries: the folder of initdb and postgres.
    """

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._identity = _unprivileged()
        self._process: subprocess.Popen[bytes] | None = None
        self.folder = Path(tempfile.mkdtemp(prefix="bedplate-postgresql-"))
        self.password = secrets.token_urlsafe(12)
        self.port = _free_port()
        if self._identity:
            os.chown(self.folder, self._identity["user"], self._identity["group"])
        self._initialise()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        log = (self.folder / "server.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self.folder / "data"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self._identity,
            )
        end = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.connect("postgres").close()
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > end:
                    text = (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")
                    raise AssertionError(f"PostgreSQL did not start: {error}\n{text}") from error
                time.sleep(0.1)
            else:
                return

    def stop(self) -> None:
        """Stop it in order, ending all sessions."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it at once, as a crash would; its next start recovers."""
        self._end(signal.SIGQUIT)

    def remove(self) -> None:
        """Stop it and remove its folder."""
        if self._process is not None:
            self.stop()
        shutil.rmtree(self.folder)

    def connect(self, database: str) -> psycopg.Connection[Any]:
        """Return a connection of the server's owner, in autocommit mode."""
        return psycopg.connect(
            host=str(self.folder), port=self.port, user="bedplate", dbname=database, password=self.password,
            autocommit=True,
        )  # fmt: skip

    def databases(self) -> list[str]:
        """Return the names of the databases."""
        with self.connect("postgres") as connection:
            return [row[0] for row in connection.execute("SELECT datname FROM pg_database")]

    def create_database(self, name: str) -> str:
        """Make a database and return its URL."""
        with self.connect("postgres") as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove a database, ending the sessions in it."""
        with self.connect("postgres") as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def url(self, database: str, *, password: str | None = None) -> str:
        """Return the URL of a database over TCP."""
        return f"postgresql://bedplate:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def _initialise(self) -> None:
        password_file = self.folder / "password"
        password_file.write_text(self.password, encoding="utf-8")
        if self._identity:
            os.chown(password_file, self._identity["user"], self._identity["group"])
        command = [self._binaries / "initdb", "-D", self.folder / "data", "-U", "bedplate", "-A", "scram-sha-256"]
        command += [f"--pwfile={password_file}", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder, **self._identity)
        password_file.unlink()
        with (self.folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(
                f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{self.folder}'\n"
                "fsync = off\nshared_buffers = 64MB\nmax_wal_size = 4GB\n"
            )

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(timeout=_START_SECONDS)
        self._process = None


def _unprivileged() -> dict[str, Any]:
    """Return whom the server runs as: root is refused by PostgreSQL."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    entry = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
