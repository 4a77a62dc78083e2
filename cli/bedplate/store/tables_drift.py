"""The tables of drift: checks, how hosts stood, findings and their lives, waivers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Index, Integer, LargeBinary, Table, text

from bedplate.drift import CheckOutcome
from bedplate.store.columns import PlainText, UtcTime
from bedplate.store.tables import METADATA

CHECK_OUTCOMES = {outcome: f"hosts_{outcome.value}" for outcome in CheckOutcome}
CHECK_COUNTS = ("new", "reopened", "resolved", "staying", "waived")

DRIFT_CHECKS = Table(
    "drift_checks",
    METADATA,
    Column("id", PlainText, primary_key=True),
    Column("product", PlainText, nullable=False),
    Column("kind", PlainText, nullable=False),
    Column("requester", PlainText, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("host_limit", PlainText),
    Column("content_digest", PlainText, nullable=False),
    Column("git_commit", PlainText),
    *(Column(name, Integer, nullable=False, server_default=text("0")) for name in CHECK_OUTCOMES.values()),
    *(Column(f"findings_{name}", Integer, nullable=False, server_default=text("0")) for name in CHECK_COUNTS),
    Column("judged", BigInteger, nullable=False, server_default=text("0")),
    Column("unverifiable", BigInteger, nullable=False, server_default=text("0")),
    Index("drift_checks_started_at", "started_at"),
)

# How a host stood after the last check of one product.
DRIFT_HOSTS = Table(
    "drift_hosts",
    METADATA,
    Column("host", PlainText, primary_key=True),
    Column("product", PlainText, primary_key=True),
    Column("check_id", PlainText, nullable=False),
    Column("outcome", PlainText, nullable=False),
    Column("checked_at", UtcTime, nullable=False),
    Column("judged_at", UtcTime),
    Column("reason", PlainText),
    Column("site", PlainText),
    Column("owner", PlainText),
    Column("coverage", LargeBinary),
    sqlite_with_rowid=False,
)

FINDINGS = Table(
    "findings",
    METADATA,
    Column("id", PlainText, primary_key=True),
    Column("host", PlainText, nullable=False),
    Column("kind", PlainText, nullable=False),
    Column("resource", PlainText, nullable=False),
    Column("attribute", PlainText, nullable=False),
    Column("product", PlainText, nullable=False),
    Column("check_kind", PlainText, nullable=False),
    Column("state", PlainText, nullable=False),
    Column("cause", PlainText, nullable=False),
    Column("severity", PlainText, nullable=False),
    Column("role", PlainText),
    Column("owner", PlainText),
    Column("first_seen", UtcTime, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
    Column("times_seen", Integer, nullable=False),
    Column("resolved_at", UtcTime),
    Column("not_before", UtcTime),
    Column("not_after", UtcTime, nullable=False),
    Column("told_at", UtcTime),
    Column("bulk", LargeBinary, nullable=False),
    Index("findings_host", "host"),
    Index("findings_state", "state"),
)

FINDING_EVENTS = Table(
    "finding_events",
    METADATA,
    Column("finding_id", PlainText, primary_key=True),
    Column("check_id", PlainText, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("transition", PlainText, nullable=False),
    Column("after", PlainText),
    Index("finding_events_check", "check_id"),
)

WAIVERS = Table(
    "waivers",
    METADATA,
    Column("id", PlainText, primary_key=True),
    Column("reason", PlainText, nullable=False),
    Column("owner", PlainText, nullable=False),
    Column("created_by", PlainText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires", Date),
)

NIGHTS = Table(
    "nights",
    METADATA,
    Column("id", PlainText, primary_key=True),
    Column("product", PlainText, nullable=False),
    Column("inventory", PlainText, nullable=False),
    Column("phase", PlainText, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("fleet", LargeBinary),
    Column("run_id", PlainText),
    Column("message", PlainText),
    Column("error", PlainText),
    Index("nights_started_at", "started_at"),
)
