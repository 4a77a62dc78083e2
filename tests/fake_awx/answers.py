"""What the fake answers with when it does not answer 200."""

from __future__ import annotations

from typing import Any


class Answer(Exception):  # noqa: N818 (an answer is not always an error)
    """Ends a request with this status and body."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status, self.body, self.headers = status, body, headers or {}


def bad(field: str, *sentences: str) -> Answer:
    return Answer(400, {field: list(sentences)})


def loud(what: str) -> Answer:
    """A request that was never recorded: no client takes 599 for an answer."""
    return Answer(599, {"detail": f"the fake AWX does not know {what}"})
