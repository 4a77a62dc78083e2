"""The fleet at one moment: hosts, where they stand, how two moments differ, and what is wrong with one."""

from __future__ import annotations

from bedplate.fleet.comparison import AttributeChange, HostChange, SnapshotDiff, compare
from bedplate.fleet.faults import Fault, FaultLevel, find_faults
from bedplate.fleet.prefixes import Prefix, parse_prefixes
from bedplate.fleet.record import FailureDomain, HostClass, HostRecord
from bedplate.fleet.snapshot import SCHEMA, Snapshot

__all__ = [
    "SCHEMA",
    "AttributeChange",
    "FailureDomain",
    "Fault",
    "FaultLevel",
    "HostChange",
    "HostClass",
    "HostRecord",
    "Prefix",
    "Snapshot",
    "SnapshotDiff",
    "compare",
    "find_faults",
    "parse_prefixes",
]
