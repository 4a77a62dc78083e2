"""Marks: how Bedplate tells its own objects in AWX from those of others, and from what state they were made."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, NamedTuple

_MARK = re.compile(r"\s*\[bedplate ([0-9a-f]{12})(?: ([0-9a-f]{12}))?\]\s*\Z")


class Mark(NamedTuple):
    """What a description says: the text for people, the state that it was made from, and that of its secrets.

    `state` is None where the object is not ours, `secret` where it has none.
    """

    summary: str
    state: str | None
    secret: str | None


def digest(state: Any) -> str:  # noqa: ANN401
    """Return twelve hex digits that stand for a state of JSON types."""
    text = json.dumps(state, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def secret_digest(secret: str, salt: str) -> str:
    """Return what tells whether a secret is still the same; costly to turn back, short enough to be of little use."""
    return hashlib.scrypt(secret.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=6).hex()


def state_mark(kind: str, name: str, state: Any) -> str:  # noqa: ANN401
    """Return what stands for a state of one object: four digits for its name, eight for the state.

    AWX copies descriptions with objects: the copy has another name, so it is not taken for ours.
    """
    return digest([kind, name])[:4] + digest(state)[:8]


def is_of(state: str, kind: str, name: str) -> bool:
    """Whether a mark was made for the object of this name."""
    return state.startswith(digest([kind, name])[:4])


def marked(summary: str, state: str, secret: str = "") -> str:
    """Return the description of an object of ours."""
    return f"{summary} [bedplate {state}{secret and ' '}{secret}]".strip()


def read_mark(description: str | None) -> Mark:
    """Return what a description says."""
    text = description or ""
    found = _MARK.search(text)
    return Mark(text[: found.start()], found[1], found[2]) if found else Mark(text, None, None)


def survey_mark(spec: Any) -> str:  # noqa: ANN401
    """Return the description of a survey; AWX lists it with the template, so no survey has to be read."""
    return f"bedplate {digest(spec)}"
