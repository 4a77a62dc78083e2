# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Sizes as NetBox has them and as hosts count them: when they are the same, and what is to be written.

People write 16 GB of memory as 16384, as 16000, and of what they wrote the kernel and the firmware keep some back.
"""

from __future__ import annotations

import math

_MB, _MIB, _GB, _GIB = 10**6, 2**20, 10**9, 2**30
# What a kernel does not count of the memory: its own code, tables of pages, a crash kernel.
_KEPT_BACK, _KEPT_BACK_MIB = 0.06, 64
_DISK_TOLERANCE = 0.01


def number(value: object) -> float | None:
    """Return a number that NetBox has, which may be text; None where there is none."""
    try:
        found = float(str(value))
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def is_number(recorded: float, found: float) -> bool:
    """Return whether two numbers are the same."""
    return recorded == found


def is_memory(recorded: float, found: float) -> bool:
    """Return whether a host that counts `found` MiB has the memory of `recorded`, which is MB or MiB."""
    return _with_what_was_kept(found) >= recorded * _MB / _MIB and found <= recorded * 1.01


def memory_to_record(found: int) -> int:
    """Return what to record for a host that counts so many MiB: the round size that it has, if that is plain."""
    step = max(1, 2 ** (int(found).bit_length() - 4))
    whole = math.ceil(found / step) * step
    return whole if whole <= _with_what_was_kept(found) else int(found)


def _with_what_was_kept(found: float) -> float:
    return found * (1 + _KEPT_BACK) + _KEPT_BACK_MIB


def is_disk(recorded: float, found: int) -> bool:
    """Return whether disks of `found` bytes are what is recorded, in whichever unit: MB or MiB, GB or GiB.

    NetBox takes 20 GB for 20,000 MB, also where the hypervisor's GB are GiB.
    """
    units = (_MB, _MIB, _GB, _GIB, _GIB / 1000)
    return any(abs(recorded * unit - found) <= _DISK_TOLERANCE * found for unit in units)


def disk_in_mb(found: int) -> int:
    """Return bytes as the MB in which NetBox counts since 4.1."""
    return max(1, round(found / _MB))


def disk_in_gb(found: int) -> int:
    """Return bytes as GB."""
    return max(1, round(found / _GB))
