"""What to say of a host or group that there is none of: what was near."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from bedplate.errors import NotFoundError
from bedplate.execution.inventory_cache import InventoryNames


def no_such(names: InventoryNames, limit: str, parts: Sequence[str], *, hosts_only: bool = False) -> NotFoundError:
    """Return the error of a limit that means nothing.

    Args:
        names: what there is.
        parts: those of the limit that match nothing; none where each does, and no host is in all of them.
        hosts_only: no group was meant.
    """
    known = names.hosts if hosts_only else (*names.hosts, *names.groups)
    part = parts[0].lstrip("!&~") if parts else ""
    near = get_close_matches(part, known, n=3, cutoff=0.6) or [name for name in known if part and part in name][:3]
    what = "host" if hosts_only else "host or group"
    if not parts:
        return NotFoundError(f"the limit {limit!r} matches no host", hint="each part exists, no host is in all")
    hint = f"near are {', '.join(near)}" if near else "`bedplate inventory list` and `graph` show what there is"
    return NotFoundError(f"no {what} matches {part!r}", where=f"limit {limit!r}" if part != limit else None, hint=hint)
