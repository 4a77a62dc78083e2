"""Taking secrets out of this process's own command line, where every user of the machine can read them."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterable
from pathlib import Path

_MASK = b"*"
# In /proc/self/stat, counted from the field after the command's name.
_ARG_START, _ARG_END = 45, 46


def hide_arguments(secrets: Iterable[str]) -> None:
    """Overwrite secrets where they stand in this process's arguments, if the system shows where those are."""
    masks = [secret.encode("utf-8", "surrogateescape") for secret in secrets if secret]
    try:
        fields = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return
    start, end = int(fields[_ARG_START]), int(fields[_ARG_END])
    if not masks or not start or end <= start:
        return
    arguments = ctypes.string_at(start, end - start)
    pattern = b"|".join(re.escape(mask) for mask in sorted(masks, key=len, reverse=True))
    hidden = re.sub(pattern, lambda found: _MASK * len(found[0]), arguments)
    if hidden != arguments:
        ctypes.memmove(start, hidden, len(hidden))
