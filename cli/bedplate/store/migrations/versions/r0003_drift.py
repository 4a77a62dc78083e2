"""Drift: checks, how hosts stood, findings and their lives, waivers, nights."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bedplate.store.columns import PlainText, UtcTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _make_checks()
    _make_hosts()
    _make_findings()
    _make_finding_events()
    _make_waivers()
    _make_nights()


def _make_checks() -> None:
    op.create_table(
        "drift_checks",
        sa.Column("id", PlainText, primary_key=True),
        sa.Column("product", PlainText, nullable=False),
        sa.Column("kind", PlainText, nullable=False),
        sa.Column("requester", PlainText, nullable=False),
        sa.Column("started_at", UtcTime, nullable=False),
        sa.Column("finished_at", UtcTime),
        sa.Column("host_limit", PlainText),
        sa.Column("content_digest", PlainText, nullable=False),
        sa.Column("git_commit", PlainText),
        *(_counter(f"hosts_{outcome}") for outcome in ("clean", "drifted", "stale", "unknown")),
        *(_counter(f"findings_{name}") for name in ("new", "reopened", "resolved", "staying", "waived")),
        sa.Column("judged", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("unverifiable", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    )
    op.create_index("drift_checks_started_at", "drift_checks", ["started_at"])


def _make_hosts() -> None:
    op.create_table(
        "drift_hosts",
        sa.Column("host", PlainText, primary_key=True),
        sa.Column("product", PlainText, primary_key=True),
        sa.Column("check_id", PlainText, nullable=False),
        sa.Column("outcome", PlainText, nullable=False),
        sa.Column("checked_at", UtcTime, nullable=False),
        sa.Column("judged_at", UtcTime),
        sa.Column("reason", PlainText),
        sa.Column("site", PlainText),
        sa.Column("owner", PlainText),
        sa.Column("coverage", sa.LargeBinary),
        sqlite_with_rowid=False,
    )


def _make_findings() -> None:
    op.create_table(
        "findings",
        sa.Column("id", PlainText, primary_key=True),
        *(sa.Column(name, PlainText, nullable=False) for name in ("host", "kind", "resource", "attribute", "product")),
        *(sa.Column(name, PlainText, nullable=False) for name in ("check_kind", "state", "cause", "severity")),
        sa.Column("role", PlainText),
        sa.Column("owner", PlainText),
        *(sa.Column(name, UtcTime, nullable=False) for name in ("first_seen", "opened_at", "last_seen")),
        sa.Column("times_seen", sa.Integer, nullable=False),
        sa.Column("resolved_at", UtcTime),
        sa.Column("not_before", UtcTime),
        sa.Column("not_after", UtcTime, nullable=False),
        sa.Column("told_at", UtcTime),
        sa.Column("bulk", sa.LargeBinary, nullable=False),
    )
    for column in ("host", "state"):
        op.create_index(f"findings_{column}", "findings", [column])


def _make_finding_events() -> None:
    op.create_table(
        "finding_events",
        sa.Column("finding_id", PlainText, primary_key=True),
        sa.Column("check_id", PlainText, primary_key=True),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("transition", PlainText, nullable=False),
        sa.Column("after", PlainText),
    )
    op.create_index("finding_events_check", "finding_events", ["check_id"])


def _make_waivers() -> None:
    op.create_table(
        "waivers",
        sa.Column("id", PlainText, primary_key=True),
        *(sa.Column(name, PlainText, nullable=False) for name in ("reason", "owner", "created_by")),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("expires", sa.Date),
    )


def _make_nights() -> None:
    op.create_table(
        "nights",
        sa.Column("id", PlainText, primary_key=True),
        *(sa.Column(name, PlainText, nullable=False) for name in ("product", "inventory", "phase")),
        sa.Column("started_at", UtcTime, nullable=False),
        sa.Column("finished_at", UtcTime),
        sa.Column("fleet", sa.LargeBinary),
        *(sa.Column(name, PlainText) for name in ("run_id", "message", "error")),
    )
    op.create_index("nights_started_at", "nights", ["started_at"])


def _counter(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default=sa.text("0"))
