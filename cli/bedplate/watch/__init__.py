"""Watching over hosts: checks for drift, what they find, and what is kept and told of it."""

from __future__ import annotations

from bedplate.watch.background import FleetBackground, groups_by_host
from bedplate.watch.fast_check import Escalation, FastCheck, FastResult
from bedplate.watch.full_check import FullCheck
from bedplate.watch.recording import CheckResult, Recording
from bedplate.watch.reporting import Reporting
from bedplate.watch.waiver_file import WaiverBook

__all__ = [
    "CheckResult",
    "Escalation",
    "FastCheck",
    "FastResult",
    "FleetBackground",
    "FullCheck",
    "Recording",
    "Reporting",
    "WaiverBook",
    "groups_by_host",
]
