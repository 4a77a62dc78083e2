"""What can go wrong in the factory; `kind` tells the caller whose fault it is."""

from __future__ import annotations


class FactoryError(Exception):
    """Podman, an image or a host failed.

    Args:
        message: one sentence, without a final full stop.
        where: the host, network, file or program that it is about.
        hint: what would be right, or what to do next.
    """

    kind = "lab"

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint


class UsageError(FactoryError):
    """What was asked for cannot be done: an option, a fleet file or a platform is wrong."""

    kind = "usage"


class NotFoundError(FactoryError):
    """A host or fault that does not exist was named."""

    kind = "not_found"
