"""States, and who changed them, as a person reads it; and the difference between two texts."""

from __future__ import annotations

import difflib

from bedplate.drift.capture import State
from bedplate.drift.observation import By
from bedplate.drift.seal import opened

LARGEST_DIFF = 8 * 1024


def told(state: State) -> str:
    """Return a state in a few words."""
    if state.get("presence") == "absent":
        return "absent"
    words = [state.get("type") or "present"]
    words += [f"to {state['target']}"] if "target" in state else []
    words += [state["version"]] if state.get("version") else []
    words += [f"uid {state['uid']}"] if "uid" in state else []
    words += [f"shell {state['shell']}"] if state.get("shell") else []
    words += [f"mode {state['mode']}"] if "mode" in state else []
    words += [f"of {state['owner']}"] if "owner" in state else []
    words += [f"by {state['program']}"] if state.get("program") else []
    words += [f"sha256:{state['content'][:16]}"] if "content" in state else []
    return " ".join(words)


def who(by: By | None, longest: int = 200) -> str:
    """Return who or what did it, what they ran, when, and how well that is known, in one line.

    Args:
        longest: so many characters of the command.
    """
    if by is None:
        return "unknown"
    command = "".join(one if one.isprintable() else " " for one in by.command or "")
    command = command if len(command) <= longest else f"{command[:longest]}…"
    at = f"{by.time:%Y-%m-%d %H:%M:%S} UTC" if by.time else None
    known = ", ".join(filter(None, (at, by.source, by.confidence)))
    return f"{by.user or 'nobody in person'}: {command} ({known})"


def difference(path: str, agreed: bytes | None, found: str | None) -> str | None:
    """Return the unified difference between two compressed texts, cut to `LARGEST_DIFF`; None without both."""
    before = opened(agreed) if agreed is not None else None
    after = opened(found) if found is not None else None
    if before is None or after is None:
        return None
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"{path} (as agreed)", f"{path} (as found)", lineterm=""
    )
    text = "\n".join(lines)
    return text if len(text) <= LARGEST_DIFF else f"{text[:LARGEST_DIFF]}\n… the rest is left out"
