"""Locks, approvals and the audit log on SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection, delete, insert, select, text

from bedplate.errors import NotFoundError
from bedplate.guardrails.approvals import Approval, Decision
from bedplate.guardrails.audit import GENESIS, AuditEntry, AuditRecord, chain
from bedplate.guardrails.locks import Claim, Holder, Occupied
from bedplate.runs import RunStatus
from bedplate.store.columns import plain_text
from bedplate.store.connections import Database
from bedplate.store.schema import is_shared
from bedplate.store.tables import RUNS
from bedplate.store.tables_guardrails import APPROVALS, AUDIT, LOCKS

_ENDED = tuple(status.value for status in RunStatus if status.ended)
_PAGE = 1000
_IN_ONE_QUERY = 500
# SQLite lets one write at a time; on PostgreSQL those who take locks, or append, come one after the other.
_LOCKS_TURN, _AUDIT_TURN = 0x6265646C, 0x62656461


class SqlLedger:
    """Implements the LockRepository, ApprovalRepository and AuditRepository of `bedplate.guardrails`.

    Safe to share between threads.

    Args:
        database: a database whose schema is up to date.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def shared(self) -> bool:
        """Whether other people can reach the store, too."""
        path = self._database.address.path
        return path is None or is_shared(path.parent)

    def occupied(self, claim: Claim) -> Occupied:
        with self._database.reading() as connection:
            return _occupied(claim, _held(connection, claim))

    def take(self, claim: Claim) -> Occupied:
        with self._database.writing() as connection:
            self._take_turn(connection, _LOCKS_TURN)
            ended = select(RUNS.c.key).where(RUNS.c.status.in_(_ENDED)).scalar_subquery()
            connection.execute(delete(LOCKS).where(LOCKS.c.run_key.in_(ended)))
            key = _key_of(connection, claim.run_id)
            connection.execute(delete(LOCKS).where(LOCKS.c.run_key == key))
            held = _held(connection, claim)
            others = _occupied(claim, held)
            if not others and (names := _free(claim, held)):
                connection.execute(insert(LOCKS), [{"name": name, "run_key": key} for name in names])
            return others

    def release(self, run_id: str) -> None:
        mine = select(RUNS.c.key).where(RUNS.c.id == run_id).scalar_subquery()
        with self._database.writing() as connection:
            connection.execute(delete(LOCKS).where(LOCKS.c.run_key.in_(mine)))

    def decide(self, approval: Approval) -> None:
        with self._database.writing() as connection:
            key = _key_of(connection, approval.run_id)
            same = APPROVALS.c.run_key == key, APPROVALS.c.person == plain_text(approval.person)
            connection.execute(delete(APPROVALS).where(*same))
            row = {
                "run_key": key,
                "person": approval.person,
                "decision": approval.decision.value,
                "at": approval.at,
                "digest": approval.digest,
                "comment": approval.comment,
            }
            connection.execute(insert(APPROVALS), row)

    def approvals(self, run_id: str) -> list[Approval]:
        statement = select(APPROVALS).join(RUNS, RUNS.c.key == APPROVALS.c.run_key).where(RUNS.c.id == run_id)
        with self._database.reading() as connection:
            rows = connection.execute(statement.order_by(APPROVALS.c.at, APPROVALS.c.person)).all()
        return [Approval(run_id, row.person, Decision(row.decision), row.at, row.digest, row.comment) for row in rows]

    def append(self, record: AuditRecord) -> AuditEntry:
        with self._database.writing() as connection:
            self._take_turn(connection, _AUDIT_TURN)
            last = connection.execute(select(AUDIT).order_by(AUDIT.c.number.desc()).limit(1)).first()
            entry = chain(record, last.number + 1 if last else 1, last.hash if last else GENESIS)
            row = {"number": entry.number, "body": entry.body, "previous": entry.previous, "hash": entry.hash}
            connection.execute(insert(AUDIT), row)
            return entry

    def entries(self, *, newest_first: bool = False) -> Iterator[AuditEntry]:
        after: int | None = None
        while True:
            statement = select(AUDIT).limit(_PAGE)
            statement = statement.order_by(AUDIT.c.number.desc() if newest_first else AUDIT.c.number)
            if after is not None:
                statement = statement.where(AUDIT.c.number < after if newest_first else AUDIT.c.number > after)
            with self._database.reading() as connection:
                rows = connection.execute(statement).all()
            yield from (AuditEntry(row.number, row.body, row.previous, row.hash) for row in rows)
            if len(rows) < _PAGE:
                return
            after = rows[-1].number

    def close(self) -> None:
        """Release the connections."""
        self._database.close()

    def _take_turn(self, connection: Connection, number: int) -> None:
        if self._database.address.path is None:
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


def _names(claim: Claim) -> dict[str, str]:
    """Return the names of the host locks → the hosts."""
    return {f"host/{plain_text(host)}": host for host in claim.hosts}


def _places(claim: Claim) -> list[str]:
    return [f"product/{claim.product}/{place}" for place in range(1, (claim.concurrency or 0) + 1)]


def _held(connection: Connection, claim: Claim) -> dict[str, Holder]:
    """Return which of the locks of a claim other unfinished runs have."""
    wanted = {*_names(claim), *_places(claim)}
    statement = (
        select(LOCKS.c.name, RUNS.c.id, RUNS.c.product, RUNS.c.requester)
        .join(RUNS, RUNS.c.key == LOCKS.c.run_key)
        .where(RUNS.c.status.not_in(_ENDED), RUNS.c.id != claim.run_id)
    )
    if len(wanted) <= _IN_ONE_QUERY:
        statement = statement.where(LOCKS.c.name.in_(sorted(wanted)))
    rows = connection.execute(statement)
    return {row.name: Holder(row.id, row.product, row.requester) for row in rows if row.name in wanted}


def _occupied(claim: Claim, held: Mapping[str, Holder]) -> Occupied:
    hosts = {host: held[name] for name, host in _names(claim).items() if name in held}
    places = [held[place].run_id for place in _places(claim) if place in held]
    full = claim.concurrency is not None and len(places) >= claim.concurrency
    return Occupied(hosts, tuple(places) if full else ())


def _free(claim: Claim, held: Mapping[str, Holder]) -> Sequence[str]:
    """Return the locks to take: all hosts, and the first place that is free."""
    return [*_names(claim), *[place for place in _places(claim) if place not in held][:1]]


def _key_of(connection: Connection, run_id: str) -> int:
    key: int | None = connection.execute(select(RUNS.c.key).where(RUNS.c.id == run_id)).scalar()
    if key is None:
        raise NotFoundError(f"no run {run_id}", hint="bedplate runs list shows the ids")
    return key
