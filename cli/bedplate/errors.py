"""The exception tree. Exit codes are assigned in `bedplate.commands`, nowhere else.

BedplateError
├── UsageError                    wrong usage or bad input (exit 2)
│   ├── SettingsError             bedplate.toml, BEDPLATE_… or an option's value
│   ├── ManifestError             a product's manifest
│   ├── ParameterError            a parameter of a run
│   └── NotFoundError             a product, run, host or group that does not exist
├── RefusedError                  a guardrail or access said no (exit 3)
├── InventoryError                no usable inventory (exit 7)
├── CanceledError                 the person canceled (exit 8)
└── ExternalError                 an outside system failed (exit 9)
    ├── StoreError                the run store
    ├── LabError                  podman, the lab's images or hosts
    └── EngineError               ansible could not be started at all
"""

from __future__ import annotations


class BedplateError(Exception):
    """What went wrong, in one sentence that says what, where, and what would be right.

    Args:
        message: the sentence, without a final full stop.
        where: file, line, key or host that it is about, put in front of the sentence.
        hint: what would be right, or what to do next.
    """

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} ({self.hint})" if self.hint else text


class UsageError(BedplateError):
    """Wrong usage or bad input."""


class SettingsError(UsageError):
    """A setting is unknown or has a wrong value."""


class ManifestError(UsageError):
    """A product's manifest is not valid."""


class ParameterError(UsageError):
    """A parameter of a run is unknown, missing or out of range."""


class NotFoundError(UsageError):
    """A product, run, host or group that does not exist was named."""


class RefusedError(BedplateError):
    """A guardrail or access said no."""


class InventoryError(BedplateError):
    """There is no usable inventory."""


class CanceledError(BedplateError):
    """The person canceled."""


class ExternalError(BedplateError):
    """A system outside of Bedplate failed."""


class StoreError(ExternalError):
    """The run store cannot be read or written."""


class LabError(ExternalError):
    """Podman, an image or a host of the lab failed."""


class EngineError(ExternalError):
    """Ansible could not be started at all."""
