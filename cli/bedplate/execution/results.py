"""What a run did to each host, counted from events as they come and put right by ansible's own count at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bedplate.runs import Event, HostResult

TASK_START = "playbook_on_task_start"
STATS = "playbook_on_stats"
_COUNTS = {
    "ok": "ok",
    "changed": "changed",
    "failures": "failed",
    "dark": "unreachable",
    "skipped": "skipped",
    "rescued": "rescued",
    "ignored": "ignored",
}


class HostTally:
    """Counts results per host.

    Args:
        hosts: the hosts of the run; each has a result, even if nothing was done to it.
    """

    def __init__(self, hosts: Sequence[str]) -> None:
        self._results = {host: HostResult(host) for host in hosts}
        self._touched = dict.fromkeys(hosts)
        self.tasks = 0
        self.complete = False

    @property
    def results(self) -> list[HostResult]:
        return list(self._results.values())

    def add(self, event: Event) -> None:
        """Count one event."""
        if event.kind == TASK_START:
            self.tasks += 1
        elif event.kind == STATS:
            self._put_right(event.data)
        elif event.host is not None and event.kind.startswith("runner_on_"):
            for count in _counts(event):
                self._increment(event.host, count)

    def take_touched(self) -> list[HostResult]:
        """Return the results that changed since the last call."""
        touched = [self._results[host] for host in self._touched]
        self._touched.clear()
        return touched

    def _increment(self, host: str, count: str) -> None:
        result = self._results.get(host) or HostResult(host)
        self._results[host] = replace(result, **{count: getattr(result, count) + 1})
        self._touched[host] = None

    def _put_right(self, stats: Mapping[str, Mapping[str, int]]) -> None:
        """Take over ansible's own count: it knows of includes and of what was rescued on the way."""
        self.complete = True
        for host in stats.get("processed", {}):
            counted = {ours: int(stats.get(theirs, {}).get(host, 0)) for theirs, ours in _COUNTS.items()}
            self._results[host] = HostResult(host, **counted)
            self._touched[host] = None


def _counts(event: Event) -> tuple[str, ...]:
    changed = ("changed",) if event.changed else ()
    if event.kind == "runner_on_ok":
        return ("ok", *changed)
    if event.kind == "runner_on_failed":
        if event.data.get("ignore_errors"):
            return ("ok", "ignored", *changed)
        return ("rescued",) if event.data.get("rescued") else ("failed",)
    if event.kind == "runner_on_unreachable":
        return ("ok", "ignored") if event.data.get("ignore_unreachable") else ("unreachable",)
    return ("skipped",) if event.kind == "runner_on_skipped" else ()
