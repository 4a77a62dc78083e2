"""Where the store is: a SQLite file or a PostgreSQL server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bedplate.errors import SettingsError
from bedplate.settings import Settings

_HINT = "store.url is empty for SQLite in the state folder, sqlite:////a/file or postgresql://user@server/database"
_SECRET_OPTIONS = {"password", "passfile", "sslpassword"}


@dataclass(frozen=True)
class Address:
    """The store's address.

    Attributes:
        url: for SQLAlchemy, with the password.
        path: the SQLite file; None for PostgreSQL.
    """

    url: URL
    path: Path | None

    @property
    def backend(self) -> str:
        return "postgresql" if self.path is None else "sqlite"

    @property
    def shown(self) -> str:
        """The URL for people: without password and driver."""
        url = self.url.set(drivername=self.backend)
        query = {name: "***" if name in _SECRET_OPTIONS else value for name, value in url.query.items()}
        return url.set(query=query).render_as_string(hide_password=True)

    @property
    def where(self) -> str:
        """What errors name: the file, or the URL for people."""
        return str(self.path) if self.path else self.shown


def address_of(settings: Settings) -> Address:
    """Return the address of the store that the settings name.

    Raises:
        SettingsError: `store.url` is neither SQLite nor PostgreSQL, or the PostgreSQL driver is not installed.
    """
    if not settings.store.url:
        return _sqlite(settings.home / "bedplate.db")
    try:
        url = make_url(settings.store.url)
    except (ArgumentError, ValueError):
        raise SettingsError("store.url is not a database URL", hint=_HINT) from None
    backend = url.get_backend_name()
    if backend == "sqlite" and url.database and url.database != ":memory:":
        return _sqlite(Path(url.database).expanduser())
    if backend in {"postgresql", "postgres"}:
        return _postgresql(url)
    raise SettingsError(f"store.url names a database that cannot hold runs: {backend}", hint=_HINT)


def _sqlite(path: Path) -> Address:
    path = path.absolute()
    return Address(URL.create("sqlite", database=str(path)), path)


def _postgresql(url: URL) -> Address:
    try:
        import psycopg  # noqa: F401, PLC0415 (an extra of this package)
    except ImportError as error:
        raise SettingsError(
            "store.url names PostgreSQL, whose driver cannot be loaded", hint="pip install 'bedplate[postgresql]'"
        ) from error
    return Address(url.set(drivername="postgresql+psycopg"), None)
