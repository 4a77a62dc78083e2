"""What the store says and keeps when its file, disk, server or process fails."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from bedplate.errors import NotFoundError, StoreError
from bedplate.runs import EventQuery, RunQuery, RunRepository, RunStatus
from bedplate.settings import Settings, StoreSettings
from bedplate.store import open_store, store_status, upgrade_store
from integration.postgresql import PostgresqlServer, require_postgresql
from integration.store.places import Place, empty_database, make_events, make_run, postgresql_place, sqlite_place

_WRITER = """
import sys
from pathlib import Path
from bedplate.settings import Settings, StoreSettings
from bedplate.store import open_store
from integration.store.places import make_events
store = open_store(Settings(home=Path(sys.argv[1]), store=StoreSettings(url=sys.argv[2])))
for start in range(1, 1000000, 500):
    store.add_events("run", make_events(range(start, start + 500)))
    print(start + 499, flush=True)
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB."""
    with _mounted(tmp_path / "disk", ["-t", "tmpfs", "-o", "size=3m", "tmpfs"]) as folder:
        yield folder


@contextmanager
def _mounted(folder: Path, options: list[str]) -> Iterator[Path]:
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *options, folder], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = f"cannot mount a file system here: {done.stderr.strip()}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _counters(store: RunRepository, run_id: str = "run") -> list[int]:
    return [event.counter for event in store.events(run_id, EventQuery())]


class TestLocked:
    def test_sqlite_waits_then_says_so_and_goes_on_afterwards(self, tmp_path: Path) -> None:
        place = sqlite_place(tmp_path, busy_timeout=0.2)
        with place.opened() as store:
            store.add(make_run(id="run"))
            with closing(sqlite3.connect(tmp_path / "bedplate.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                with pytest.raises(StoreError, match=r"bedplate.db: the run store is locked .*store.busy_timeout"):
                    store.add_events("run", make_events(range(1, 4)))
                assert store.get("run").id == "run", "reading goes on"
                other.execute("ROLLBACK")
            store.add_events("run", make_events(range(1, 4)))
            assert _counters(store) == [1, 2, 3]

    @pytest.mark.postgresql
    def test_postgresql_waits_then_says_so(self, postgresql_server: PostgresqlServer, tmp_path: Path) -> None:
        with (
            postgresql_place(postgresql_server, tmp_path, busy_timeout=0.2) as place,
            place.opened() as store,
            postgresql_server.connect("shared") as other,
        ):
            store.add(make_run(id="run"))
            with other.transaction():
                other.execute("SELECT 1 FROM runs FOR UPDATE")
                with pytest.raises(StoreError, match=r"the run store is locked .*store.busy_timeout"):
                    store.update("run", pid=1)
            assert store.update("run", pid=1)


class TestFullDisk:
    def test_what_was_accepted_stays_and_writing_goes_on_when_there_is_room(self, disk: Path) -> None:
        with sqlite_place(disk).opened() as store:
            store.add(make_run(id="run"))
            kept = self._fill(store, disk)
            assert _counters(store) == list(range(1, kept + 1))
            subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
            store.add_events("run", make_events(range(1, kept + 501)))
            assert _counters(store) == list(range(1, kept + 501))
        with closing(sqlite3.connect(disk / "bedplate.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]

    def _fill(self, store: RunRepository, disk: Path) -> int:
        """Write until the disk is full; return the last counter that was accepted."""
        start = 1
        sentence = rf"^{disk}/bedplate.db: .*(disk of the run store is full|may be full)"
        with pytest.raises(StoreError, match=sentence):  # noqa: PT012 (which write fails is not known)
            while True:
                events = make_events(range(start, start + 500), data={"noise": os.urandom(200).hex()})
                store.add_events("run", events)
                start += 500
        return start - 1

    def test_a_store_cannot_be_made_on_a_full_disk(self, disk: Path) -> None:
        with suppress(OSError), (disk / "ballast").open("wb") as file:
            while True:
                file.write(bytes(65536))
        with pytest.raises(StoreError, match=r"full|No space left"):
            open_store(Settings(home=disk))
        (disk / "ballast").unlink()
        with sqlite_place(disk).opened() as store:
            assert store.count(RunQuery()) == 0

    def test_a_limit_on_the_size_of_files(self, tmp_path: Path) -> None:
        with sqlite_place(tmp_path).opened() as store:
            store.add(make_run(id="run"))
        writer = _WRITER.replace("store = open_store", "import resource\nstore = open_store", 1).replace(
            "for start", "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\nfor start"
        )
        done = subprocess.run([*_python(writer), tmp_path, ""], capture_output=True, text=True, check=False)
        assert "StoreError: " in done.stderr
        assert "may be full" in done.stderr
        with sqlite_place(tmp_path).opened() as store:
            assert len(_counters(store)) == int(done.stdout.split()[-1])


def _python(code: str) -> list[str]:
    start = f"import sys; sys.path[:0] = {[str(Path(__file__).parents[2])]!r}\n"
    return [sys.executable, "-c", start + code]


class TestKilledWriter:
    def test_what_was_acknowledged_is_there_and_no_half_batch(self, place: Place) -> None:
        with place.opened() as store:
            store.add(make_run(id="run", status=RunStatus.RUNNING))
            command = [*_python(_WRITER), str(place.settings.home), place.settings.store.url]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
                assert writer.stdout is not None
                for _ in range(5):
                    acknowledged = int(writer.stdout.readline())
                writer.send_signal(signal.SIGKILL)
                acknowledged = max([acknowledged, *(int(line) for line in writer.stdout if line.endswith("\n"))])
            counters = _counters(store)
            assert len(counters) >= acknowledged
            assert len(counters) % 500 == 0
            assert counters == list(range(1, len(counters) + 1))
            store.add_events("run", make_events(range(1, len(counters) + 10)))
            assert len(_counters(store)) == len(counters) + 9
        if place.server is None:
            with closing(sqlite3.connect(place.settings.home / "bedplate.db")) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


class TestFile:
    def test_a_read_only_folder(self, tmp_path: Path) -> None:
        with _read_only(tmp_path / "home") as home, pytest.raises(StoreError) as error:
            open_store(Settings(home=home))
        assert str(home) in str(error.value)
        assert "Read-only" in str(error.value) or "Permission denied" in str(error.value)

    def test_a_store_that_became_read_only(self, tmp_path: Path) -> None:
        home = tmp_path / "home"
        with sqlite_place(home).opened() as store:
            store.add(make_run(id="run"))
        sentence = r"cannot be (opened|written).* yours to write"
        with _read_only(home), pytest.raises(StoreError, match=sentence), sqlite_place(home).opened() as store:
            store.update("run", pid=1)

    def test_a_folder_that_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "home").touch()
        with pytest.raises(StoreError, match=f"^{tmp_path}/home/bedplate.db: "):
            open_store(Settings(home=tmp_path / "home"))

    def test_a_file_that_is_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "bedplate.db").mkdir()
        with pytest.raises(StoreError, match=r"cannot be opened"):
            open_store(Settings(home=tmp_path))

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "bedplate.db").write_bytes(os.urandom(8192))
        with pytest.raises(StoreError, match=r"not a run store .*move it away"):
            open_store(Settings(home=tmp_path))

    def test_a_damaged_file(self, tmp_path: Path) -> None:
        with sqlite_place(tmp_path).opened() as store:
            store.add(make_run(id="run"))
            store.add_events("run", make_events(range(1, 3000)))
        file = tmp_path / "bedplate.db"
        half = file.stat().st_size // 8192 * 4096  # behind the schema, among the events
        with file.open("r+b") as stream:
            stream.seek(half)
            stream.write(b"\xff" * half)
        with sqlite_place(tmp_path).opened() as store, pytest.raises(StoreError, match=r"damaged .*restore a backup"):
            _counters(store)

    def test_a_file_that_vanished_is_not_written_into_nothing(self, tmp_path: Path) -> None:
        with sqlite_place(tmp_path / "home").opened() as store:
            store.add(make_run(id="run"))
            store.close()
            aside = tmp_path / "aside"
            (tmp_path / "home").rename(aside)
            with pytest.raises(StoreError, match=r"cannot be opened"):
                store.add_events("run", make_events(range(1, 4)))
            assert not (tmp_path / "home").exists()
            aside.rename(tmp_path / "home")
            store.add_events("run", make_events(range(1, 4)))
            assert _counters(store) == [1, 2, 3]

    def test_a_file_that_was_replaced_in_mid_run_is_used_from_then_on(self, tmp_path: Path) -> None:
        file = tmp_path / "bedplate.db"
        with sqlite_place(tmp_path).opened() as store:
            store.add(make_run(id="run"))
            with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(tmp_path / "copy")) as target:
                source.backup(target)
            for leftover in tmp_path.glob("bedplate.db-*"):
                leftover.unlink()
            (tmp_path / "copy").replace(file)
            store.add_events("run", make_events(range(1, 4)))
        with sqlite_place(tmp_path).opened() as store:
            assert _counters(store) == [1, 2, 3]

    def test_tables_that_vanished(self, tmp_path: Path) -> None:
        with sqlite_place(tmp_path).opened() as store:
            with closing(sqlite3.connect(tmp_path / "bedplate.db")) as connection:
                connection.execute("DROP TABLE events")
            store.add(make_run(id="run"))
            with pytest.raises(StoreError, match=r"lacks its tables"):
                store.add_events("run", make_events(range(1, 4)))


@contextmanager
def _read_only(home: Path) -> Iterator[Path]:
    home.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        with _mounted(home, ["--bind", str(home)]):
            subprocess.run(["mount", "-o", "remount,bind,ro", home], check=True)
            yield home
        return
    home.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        yield home
    finally:
        home.chmod(stat.S_IRWXU)


@pytest.fixture
def own_server() -> Iterator[PostgresqlServer]:
    """A server that this test alone may kill."""
    server = PostgresqlServer(require_postgresql())
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.mark.postgresql
class TestServer:
    def test_a_server_that_dies_in_mid_run_and_comes_back(self, own_server: PostgresqlServer, tmp_path: Path) -> None:
        with postgresql_place(own_server, tmp_path) as place, place.opened() as store:
            store.add(make_run(id="run", status=RunStatus.RUNNING))
            store.add_events("run", make_events(range(1, 2001)))
            reader = store.events("run", EventQuery())
            seen = [next(reader).counter for _ in range(10)]
            own_server.kill()
            with pytest.raises(
                StoreError, match=r"database server (cannot be reached|is stopping)|connection .* broke"
            ):
                store.add_events("run", make_events(range(2001, 2501)))
            own_server.start()
            store.add_events("run", make_events(range(1501, 2501)))
            assert [*seen, *(event.counter for event in reader)] == list(range(1, 2501))

    def test_a_server_that_is_not_there(self, tmp_path: Path) -> None:
        url = "postgresql://ada:s%40cret@127.0.0.1:1/bedplate"
        self._refused(url, tmp_path, "the database server cannot be reached: .*refused", secret="s@cret")

    def test_a_wrong_password(self, postgresql_server: PostgresqlServer, tmp_path: Path) -> None:
        url = postgresql_server.url("postgres", password="s%40cret")
        self._refused(url, tmp_path, "the database server refused the login", secret="s@cret")

    def test_a_database_that_does_not_exist(self, postgresql_server: PostgresqlServer, tmp_path: Path) -> None:
        url = postgresql_server.url("missing")
        self._refused(url, tmp_path, 'database "missing" does not exist', secret=postgresql_server.password)

    def _refused(self, url: str, home: Path, sentence: str, *, secret: str) -> None:
        settings = Settings(home=home, store=StoreSettings(url=url))
        for act in (open_store, upgrade_store, store_status):
            with pytest.raises(StoreError, match=sentence) as error:
                act(settings)
            shown = "".join(traceback.format_exception(error.value)) + repr(error.value)
            assert secret not in shown
            assert secret.replace("@", "%40") not in shown
            assert "\n" not in str(error.value)

    def test_tables_that_vanished(self, postgresql_server: PostgresqlServer, tmp_path: Path) -> None:
        with empty_database(postgresql_server, tmp_path) as place:
            upgrade_store(place.settings)
            with place.opened() as store:
                name = place.settings.store.url.rpartition("/")[2]
                with postgresql_server.connect(name) as connection:
                    connection.execute("DROP TABLE events")
                store.add(make_run(id="run"))
                with pytest.raises(StoreError, match=r"no run store, or an older one .*bedplate db upgrade"):
                    store.add_events("run", make_events(range(1, 4)))

    def test_a_user_without_rights(self, postgresql_server: PostgresqlServer, tmp_path: Path) -> None:
        with postgresql_place(postgresql_server, tmp_path) as place:
            with postgresql_server.connect("shared") as connection:
                connection.execute("DROP ROLE IF EXISTS guest")
                connection.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
            url = place.settings.store.url.replace(f"bedplate:{postgresql_server.password}", "guest:guest")
            settings = replace(place.settings, store=StoreSettings(url=url))
            with pytest.raises(StoreError, match=r"lacks a right"):
                open_store(settings)


def test_an_error_of_the_caller_leaves_no_half_write(place: Place) -> None:
    with place.opened() as store:
        store.add(make_run(id="run"))
        events = make_events(range(1, 4))
        with pytest.raises(Exception, match=r"without a zone"):
            store.add_events(
                "run", [*events, replace(events[0], counter=4, created=events[0].created.replace(tzinfo=None))]
            )
        assert _counters(store) == []
        with pytest.raises(NotFoundError):
            store.add_events("nowhere", events)
