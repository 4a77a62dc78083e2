"""The night's message: what is new, in a few lines, to wherever apprise can send it."""

from __future__ import annotations

from collections.abc import Sequence

from bedplate.drift.check import DriftCheck
from bedplate.drift.finding import Finding
from bedplate.drift.telling import who
from bedplate.errors import ExternalError, SettingsError

_LINES = 20
_LONGEST = 100


def title_of(check: DriftCheck, fresh: Sequence[Finding], mended: Sequence[Finding] = ()) -> str:
    """Return the message's first line.

    Args:
        mended: what was repaired by itself.
    """
    hosts = len({finding.observed.host for finding in fresh})
    more = f", {len(mended)} repaired" if mended else ""
    return f"Drift of {check.product}: {_count(len(fresh), 'new finding')} on {_count(hosts, 'host')}{more}"


def body_of(check: DriftCheck, fresh: Sequence[Finding], mended: Sequence[Finding] = ()) -> str:
    """Return the message: the new findings by owner, the gravest first, what was repaired, and how many there are."""
    lines: list[str] = []
    for owner in sorted({finding.owner or "nobody" for finding in fresh}):
        lines.append(f"{owner}:")
        lines += [_line(finding) for finding in fresh if (finding.owner or "nobody") == owner]
    if mended:
        lines += ["repaired:", *map(_line, mended)]
    more = len(lines) - _LINES
    if more > 0:
        lines = [*lines[:_LINES], f"… {_count(more, 'more line')}"]
    counts = check.findings
    return "\n".join([*lines, "", f"{counts.resolved} resolved, {counts.open} open; check {check.id}"])


def send(urls: Sequence[str], title: str, body: str) -> None:
    """Send a message to all that is named.

    Raises:
        SettingsError: an address is none that apprise knows; it is not shown, because it may hold a password.
        ExternalError: not everybody could be told.
    """
    import apprise  # noqa: PLC0415 (it is slow to import, and needed once a night)

    everybody = apprise.Apprise()
    for number, url in enumerate(urls, start=1):
        if not everybody.add(url):
            raise SettingsError(
                f"address {number} is none that apprise knows", where="drift.notify", hint="such as mailto://…"
            )
    if not everybody.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT):
        raise ExternalError("the message could not be sent to everybody", where="drift.notify")


def _line(finding: Finding) -> str:
    seen = finding.observed
    by = who(finding.by, _LONGEST)
    return f"- {seen.severity}: {seen.host}: {seen.kind} {seen.key}: {seen.attribute} ({finding.cause}), by {by}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
