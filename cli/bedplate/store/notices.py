"""What people were told of already, on SQLAlchemy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from bedplate.notices import Trouble
from bedplate.store.connections import Database
from bedplate.store.tables_figures import NOTICES


class SqlNotices:
    """Implements `bedplate.notices.NoticeRepository`; safe to share between threads.

    Args:
        database: a database whose schema is up to date.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def remember(self, trouble: Trouble, run_id: str, at: datetime) -> bool:
        row = {
            "cause": trouble.cause,
            "product": trouble.product,
            "hosts": tuple(trouble.hosts),
            "task": trouble.task,
            "run_id": run_id,
            "at": at,
        }
        with self._database.writing() as connection:
            try:
                with connection.begin_nested():
                    connection.execute(insert(NOTICES), [row])
            except IntegrityError:
                return False
            return True

    def forget(self, trouble: Trouble) -> None:
        with self._database.writing() as connection:
            connection.execute(delete(NOTICES).where(NOTICES.c.cause == trouble.cause))

    def settle(self, product: str, hosts: Sequence[str]) -> None:
        good = set(hosts)
        known = select(NOTICES.c.cause, NOTICES.c.hosts).where(NOTICES.c.product == product)
        with self._database.writing() as connection:
            over = [cause for cause, failed in connection.execute(known) if good.issuperset(failed)]
            if over:
                connection.execute(delete(NOTICES).where(NOTICES.c.cause.in_(over)))

    def close(self) -> None:
        self._database.close()
