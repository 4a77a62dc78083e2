"""Which findings are accepted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bedplate.commands.context import App

if TYPE_CHECKING:
    from bedplate.drift.finding import Finding
    from bedplate.drift.waivers import Waiver


def waivers_of(app: App, findings: Sequence[Finding]) -> dict[str, Waiver]:
    """Return by finding id the waiver that accepts it today; what none accepts is left out."""
    from bedplate.drift.finding import HostFacts
    from bedplate.drift.waivers import Waivers
    from bedplate.watch import groups_by_host

    kept = app.drift.waivers()
    groups = groups_by_host(app.launcher.adapter.names) if any(waiver.scope.group for waiver in kept) else {}
    facts = {host: HostFacts(groups=names) for host, names in groups.items()}
    waivers = Waivers(kept, datetime.now(UTC).date(), facts)
    return {finding.id: waiver for finding in findings if (waiver := waivers.of(finding)) is not None}
