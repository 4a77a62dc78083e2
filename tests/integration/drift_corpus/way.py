"""A way to drift: a script that changes a host and looks whether it did, and what a check has to find."""

from __future__ import annotations

from dataclasses import dataclass

Identity = tuple[str, str, str]
UNABLE = 77


@dataclass(frozen=True)
class Way:
    """One way to drift.

    Attributes:
        change: a shell script, run as root.
        effect: a shell command that succeeds only where the change had its effect.
        found: kind, key and attribute of the finding.
        also: what else follows from it.
    """

    name: str
    change: str
    effect: str
    found: Identity
    also: tuple[Identity, ...] = ()

    @property
    def script(self) -> str:
        """The whole script."""
        change = f"( set -eu\n{self.change}\n) || exit {UNABLE}"
        return f"{change}\n{self.effect} || {{ echo no effect >&2; exit {UNABLE}; }}"
