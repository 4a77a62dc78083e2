"""The store's schema: made, upgraded, refused."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from bedplate.errors import SettingsError, StoreError
from bedplate.runs import RunQuery
from bedplate.settings import Settings, StoreSettings
from bedplate.store import open_store, store_status, upgrade_store
from bedplate.store.address import address_of
from bedplate.store.connections import Database
from bedplate.store.schema import MIGRATIONS, Schema
from bedplate.store.tables import METADATA, VERSION_TABLE
from integration.postgresql import PostgresqlServer
from integration.store.places import LATEST, Place, empty_database, make_run, sqlite_place

NEXT = f"{int(LATEST) + 1:04}"
_NEXT_FILE = f"r{NEXT}_colour.py"
_NEXT_REVISION = f'''"""A revision that is not released."""
import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{LATEST}"


def upgrade():
    op.add_column("runs", sa.Column("colour", sa.Text))
'''


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A place where no store was made."""
    if request.param == "sqlite":
        yield sqlite_place(tmp_path / "home")
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    with empty_database(server, tmp_path) as place:
        yield place


@pytest.fixture
def next_migrations(tmp_path: Path) -> Path:
    """The migrations with one more revision, as a newer version would have."""
    folder = tmp_path / "migrations 100%"
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / _NEXT_FILE).write_text(_NEXT_REVISION, encoding="utf-8")
    return folder


@contextmanager
def _schema(place: Place, migrations: Path = MIGRATIONS) -> Iterator[Schema]:
    with _database(place) as database:
        yield Schema(database, migrations)


@contextmanager
def _database(place: Place) -> Iterator[Database]:
    database = Database(address_of(place.settings), place.settings.store.busy_timeout)
    try:
        yield database
    finally:
        database.close()


class TestNew:
    def test_sqlite_is_made_on_opening_private_and_in_wal_mode(self, tmp_path: Path) -> None:
        place = sqlite_place(tmp_path / "a" / "b c" / "100%?#")
        with place.opened() as store:
            store.add(make_run())
            file = place.settings.home / "bedplate.db"
            assert {path.name for path in file.parent.iterdir()} >= {"bedplate.db", "bedplate.db-wal"}
            assert {stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()} == {0o600}
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    def test_a_folder_shared_with_a_group_gives_a_file_for_the_group(self, tmp_path: Path) -> None:
        home = tmp_path / "home"
        home.mkdir()
        home.chmod(0o2770)
        with sqlite_place(home).opened() as store:
            store.add(make_run())
            assert {stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()} == {0o660}

    def test_an_empty_file_becomes_a_store(self, tmp_path: Path) -> None:
        (tmp_path / "bedplate.db").touch()
        with sqlite_place(tmp_path).opened() as store:
            assert store.count(RunQuery()) == 0

    def test_a_sqlite_url_names_the_file(self, tmp_path: Path) -> None:
        settings = Settings(home=tmp_path / "home", store=StoreSettings(url=f"sqlite:///{tmp_path}/my.db"))
        store = open_store(settings)
        store.add(make_run())
        store.close()
        assert (tmp_path / "my.db").stat().st_size > 0
        assert not settings.home.exists()

    @pytest.mark.postgresql
    def test_postgresql_waits_for_the_command(self, postgresql_server: PostgresqlServer, tmp_path: Path) -> None:
        with empty_database(postgresql_server, tmp_path) as place:
            with pytest.raises(StoreError, match=r"no run store yet .*bedplate db upgrade"):
                open_store(place.settings)
            assert upgrade_store(place.settings).before is None
            with place.opened() as store:
                assert store.count(RunQuery()) == 0

    def test_the_migrations_give_what_the_code_expects(self, empty_place: Place) -> None:
        upgrade_store(empty_place.settings)
        with _database(empty_place) as database, database.reading() as connection:
            options = {"compare_type": True, "compare_server_default": True, "version_table": VERSION_TABLE}
            assert compare_metadata(MigrationContext.configure(connection, opts=options), METADATA) == []

    def test_of_many_processes_at_once_one_makes_it(self, empty_place: Place) -> None:
        results = _upgrade_at_once(empty_place, 4)
        assert sorted(results) == [LATEST, LATEST, LATEST, "None"]
        with empty_place.opened() as store:
            store.add(make_run())


def _upgrade_at_once(place: Place, count: int) -> list[str]:
    """Upgrade in several processes; return the revision that each one found."""
    code = (
        "import sys; from pathlib import Path; from bedplate.settings import *; from bedplate.store import *\n"
        "settings = Settings(home=Path(sys.argv[1]), store=StoreSettings(url=sys.argv[2], busy_timeout=60))\n"
        "print('ready', flush=True); sys.stdin.readline(); print(upgrade_store(settings).before)"
    )
    command = [sys.executable, "-c", code, str(place.settings.home), place.settings.store.url]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(count)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=240)[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0] * count
    return answers


class TestOlder:
    def test_it_is_upgraded_and_keeps_its_runs(self, empty_place: Place, next_migrations: Path) -> None:
        upgrade_store(empty_place.settings)
        with empty_place.opened() as store:
            store.add(make_run(id="before"))
        with _schema(empty_place, next_migrations) as schema:
            assert (schema.current(), schema.latest) == (LATEST, NEXT)
            done = schema.upgrade()
            assert (done.before, done.after) == (LATEST, NEXT)
            assert schema.current() == NEXT
            assert schema.upgrade().before == NEXT
        with _database(empty_place) as database, database.reading() as connection:
            assert connection.execute(text("SELECT id, colour FROM runs")).all() == [("before", None)]

    def test_sqlite_is_upgraded_on_opening_after_a_copy(self, tmp_path: Path, next_migrations: Path) -> None:
        place = sqlite_place(tmp_path / "home")
        with place.opened() as store:
            store.add(make_run(id="before"))
        with _schema(place, next_migrations) as schema:
            schema.ensure()
            assert schema.current() == NEXT
        (backup,) = place.settings.home.glob(f"bedplate.db.revision-{LATEST}-*[0-9]")
        assert stat.S_IMODE(backup.stat().st_mode) == 0o600
        copy = Settings(home=tmp_path, store=StoreSettings(url=f"sqlite:///{backup}"))
        store = open_store(copy)
        assert store.get("before").id == "before"
        store.close()

    @pytest.mark.postgresql
    def test_postgresql_waits_for_the_command(
        self, postgresql_server: PostgresqlServer, tmp_path: Path, next_migrations: Path
    ) -> None:
        with empty_database(postgresql_server, tmp_path) as place:
            upgrade_store(place.settings)
            with _schema(place, next_migrations) as schema:
                with pytest.raises(StoreError, match=rf"older run store \(revision {LATEST}\) .*bedplate db upgrade"):
                    schema.ensure()
                assert schema.current() == LATEST

    def test_an_upgrade_that_fails_leaves_the_store_as_it_was(self, empty_place: Place, next_migrations: Path) -> None:
        upgrade_store(empty_place.settings)
        broken = next_migrations / "versions" / _NEXT_FILE
        broken.write_text(f'{_NEXT_REVISION}    op.execute("DROP TABLE nothing")\n', encoding="utf-8")
        with _schema(empty_place, next_migrations) as schema, pytest.raises(StoreError):
            schema.upgrade()
        with empty_place.opened() as store:
            store.add(make_run())
        with _database(empty_place) as database, database.reading() as connection:
            assert "colour" not in set(connection.execute(text("SELECT * FROM runs")).keys())

    def test_who_waits_too_long_for_an_upgrade_is_told(self, tmp_path: Path) -> None:
        place = sqlite_place(tmp_path, busy_timeout=0.2)
        code = (
            "import fcntl, sys, os\nfile = open(sys.argv[1], 'w'); fcntl.flock(file, fcntl.LOCK_EX)\n"
            "print('locked', flush=True); sys.stdin.read()"
        )
        command = [sys.executable, "-c", code, str(tmp_path / "bedplate.db.lock")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "locked\n"
            with pytest.raises(StoreError, match=r"another process is making or upgrading the run store"):
                open_store(place.settings)
            holder.communicate()


class TestRefused:
    def test_a_newer_schema(self, empty_place: Place, next_migrations: Path) -> None:
        with _schema(empty_place, next_migrations) as schema:
            schema.upgrade()
        for act in (open_store, upgrade_store):
            with pytest.raises(
                StoreError, match=rf"revision {NEXT}, made by a newer Bedplate; .* {LATEST} \(upgrade Bedplate"
            ):
                act(empty_place.settings)
        assert store_status(empty_place.settings).upgrade == "newer"

    def test_a_database_of_something_else(self, tmp_path: Path) -> None:
        with closing(sqlite3.connect(tmp_path / "bedplate.db")) as connection:
            connection.execute("CREATE TABLE recipes (name)")
        for act in (open_store, upgrade_store, store_status):
            with pytest.raises(StoreError, match=r"holds something else: recipes"):
                act(Settings(home=tmp_path))

    @pytest.mark.postgresql
    def test_a_server_with_tables_of_the_same_names(self, postgresql_server: PostgresqlServer, tmp_path: Path) -> None:
        with empty_database(postgresql_server, tmp_path) as place:
            name = place.settings.store.url.rpartition("/")[2]
            with postgresql_server.connect(name) as connection:
                connection.execute("CREATE TABLE events (id int)")
            with pytest.raises(StoreError, match=r"holds something else: events"):
                upgrade_store(place.settings)

    @pytest.mark.parametrize(
        ("url", "sentence"),
        [
            ("mysql://ada:secret@db/x", "cannot hold runs: mysql"),
            ("sqlite://", "cannot hold runs: sqlite"),
            ("sqlite:///:memory:", "cannot hold runs: sqlite"),
            ("/var/lib/ada:secret@bedplate.db", "is not a database URL"),
            ("postgresql://ada:secret@db:port/x", "is not a database URL"),
            ("postgresql+nodriver://ada:secret@db/x", None),
        ],
    )
    def test_a_url_that_cannot_be_used(self, tmp_path: Path, url: str, sentence: str | None) -> None:
        settings = Settings(home=tmp_path, store=StoreSettings(url=url, busy_timeout=0.1))
        with pytest.raises((SettingsError, StoreError), match=sentence) as error:
            open_store(settings)
        assert "secret" not in str(error.value)


class TestStatus:
    def test_it_tells_what_is_there(self, empty_place: Place) -> None:
        before = store_status(empty_place.settings)
        assert (before.revision, before.upgrade, before.runs) == (None, "create", 0)
        if empty_place.server is None:
            assert not empty_place.settings.home.exists(), "looking must not make anything"
        upgrade_store(empty_place.settings)
        with empty_place.opened() as store:
            store.add(make_run())
        after = store_status(empty_place.settings)
        assert (after.revision, after.upgrade, after.runs, after.unfinished, after.hosts) == (LATEST, "none", 1, 1, 2)
        assert after.size > 0

    @pytest.mark.postgresql
    def test_no_password_is_shown(self, postgresql_server: PostgresqlServer, tmp_path: Path) -> None:
        with empty_database(postgresql_server, tmp_path) as place:
            shown = store_status(place.settings).url
            assert postgresql_server.password not in shown
            assert shown.startswith("postgresql://bedplate:***@127.0.0.1:")


def test_an_up_to_date_store_opens_without_alembic(tmp_path: Path) -> None:
    with sqlite_place(tmp_path).opened():
        pass
    code = (
        "import sys; from pathlib import Path; from bedplate.settings import Settings; from bedplate.store import *\n"
        "open_store(Settings(home=Path(sys.argv[1]))).close(); print('alembic' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"
