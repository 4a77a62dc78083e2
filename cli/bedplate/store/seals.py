"""Seals on SQLAlchemy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from bedplate.drift.seals import KeptSeal
from bedplate.store.columns import plain_text
from bedplate.store.connections import Database
from bedplate.store.tables_seals import SEAL_TEXTS, SEALS
from bedplate.store.upserts import Upserts

_AT_ONCE = 500


class SqlSealRepository:
    """Implements `bedplate.drift.seals.SealRepository` in SQLite or PostgreSQL; safe to share between threads.

    Args:
        database: a database whose schema is up to date.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = Upserts(database)

    def put(self, seals: Sequence[KeptSeal], texts: Mapping[str, bytes]) -> list[str]:
        kept = self._digests({seal.product for seal in seals}, [seal.host for seal in seals])
        fresh = [seal for seal in seals if kept.get((plain_text(seal.host), seal.product)) != seal.digest]
        if not fresh:
            return []
        named = sorted({digest for seal in fresh for digest in seal.texts} & texts.keys())
        with self._database.writing() as connection:
            known = _known(connection, named)
            new = [{"digest": digest, "content": texts[digest]} for digest in named if digest not in known]
            self._rows.add(connection, SEAL_TEXTS, new)
            self._rows.put(connection, SEALS, [_row_of(seal) for seal in fresh])
        return [seal.host for seal in fresh]

    def renew(self, seals: Sequence[tuple[KeptSeal, str]]) -> list[str]:
        done = []
        with self._database.writing() as connection:
            for seal, before in seals:
                row = _row_of(seal)
                same = (SEALS.c[name] == row[name] for name in ("host", "product"))
                statement = update(SEALS).where(*same, SEALS.c.digest == before).values(**row)
                if connection.execute(statement).rowcount:
                    done.append(seal.host)
        return done

    def kept(self, product: str, hosts: Collection[str]) -> dict[str, KeptSeal]:
        names = {plain_text(host): host for host in hosts}
        found: dict[str, KeptSeal] = {}
        for some in _portions(sorted(names)):
            statement = select(SEALS).where(SEALS.c.product == product, SEALS.c.host.in_(some))
            with self._database.reading() as connection:
                found |= {names[row.host]: _seal_of(row, names[row.host]) for row in connection.execute(statement)}
        return found

    def taken(self, hosts: Collection[str]) -> dict[tuple[str, str], datetime]:
        names = {plain_text(host): host for host in hosts}
        found: dict[tuple[str, str], datetime] = {}
        for some in _portions(sorted(names)):
            statement = select(SEALS.c.product, SEALS.c.host, SEALS.c.taken_at).where(SEALS.c.host.in_(some))
            with self._database.reading() as connection:
                found |= {(product, names[host]): at for product, host, at in connection.execute(statement)}
        return found

    def signed(self, product: str, hosts: Collection[str]) -> dict[str, str]:
        names = {plain_text(host): host for host in hosts}
        found: dict[str, str] = {}
        for some in _portions(sorted(names)):
            statement = select(SEALS.c.host, SEALS.c.signed).where(SEALS.c.product == product, SEALS.c.host.in_(some))
            with self._database.reading() as connection:
                found |= {names[row.host]: row.signed for row in connection.execute(statement)}
        return found

    def sealed(self, product: str) -> set[str]:
        with self._database.reading() as connection:
            return set(connection.execute(select(SEALS.c.host).where(SEALS.c.product == product)).scalars())

    def texts(self, digests: Iterable[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for some in _portions(sorted(set(digests))):
            with self._database.reading() as connection:
                rows = connection.execute(select(SEAL_TEXTS).where(SEAL_TEXTS.c.digest.in_(some)))
                found |= {row.digest: row.content for row in rows}
        return found

    def sweep(self) -> int:
        with self._database.writing() as connection:
            named = {digest for names in connection.execute(select(SEALS.c.texts)).scalars() for digest in names}
            kept = connection.execute(select(SEAL_TEXTS.c.digest)).scalars()
            unused = sorted(digest for digest in kept if digest not in named)
            for some in _portions(unused):
                connection.execute(delete(SEAL_TEXTS).where(SEAL_TEXTS.c.digest.in_(some)))
        return len(unused)

    def close(self) -> None:
        self._database.close()

    def _digests(self, products: Collection[str], hosts: Collection[str]) -> dict[tuple[str, str], str]:
        """Return what the seals that are kept say, by host and product."""
        found: dict[tuple[str, str], str] = {}
        for some in _portions(sorted(map(plain_text, hosts))):
            statement = select(SEALS.c.host, SEALS.c.product, SEALS.c.digest)
            statement = statement.where(SEALS.c.product.in_(sorted(products)), SEALS.c.host.in_(some))
            with self._database.reading() as connection:
                found |= {(host, product): digest for host, product, digest in connection.execute(statement)}
        return found


def _known(connection: Connection, digests: Sequence[str]) -> set[str]:
    known: set[str] = set()
    for some in _portions(digests):
        known |= set(connection.execute(select(SEAL_TEXTS.c.digest).where(SEAL_TEXTS.c.digest.in_(some))).scalars())
    return known


def _row_of(seal: KeptSeal) -> dict[str, object]:
    return {
        "host": plain_text(seal.host),
        "product": seal.product,
        "run_id": seal.run,
        "taken_at": seal.taken_at,
        "digest": seal.digest,
        "texts": seal.texts,
        "signed": seal.signed,
    }


def _seal_of(row: Any, host: str) -> KeptSeal:  # noqa: ANN401
    return KeptSeal(host, row.product, row.run_id, row.taken_at, row.digest, row.signed, tuple(row.texts))


def _portions(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), _AT_ONCE):
        yield names[start : start + _AT_ONCE]
