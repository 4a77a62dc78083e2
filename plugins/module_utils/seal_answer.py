# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""How a look at a host is answered: compactly, and without being in the way of the host's own work."""

from __future__ import annotations

import base64
import ctypes
import hashlib
import json
import os
import zlib


def mark(found: dict) -> str:
    """Return a short digest of states; who asks makes it in the same way."""
    return hashlib.sha256(json.dumps(found, separators=(",", ":"), sort_keys=True).encode()).hexdigest()[:16]


def packed(document: dict, limit: int) -> str:
    """Return a capture as compressed text; where that is too long, without its largest parts, which it names."""
    while True:
        plain = json.dumps(document, separators=(",", ":"), sort_keys=True).encode("utf-8", "surrogateescape")
        text = base64.b64encode(zlib.compress(plain, 6)).decode()
        if len(text) <= limit:
            return text
        lesser = next((part for part in ("texts", "evidence") if document[part]), None)
        if lesser:
            document[lesser] = {}
            document["truncated"].append(lesser)
            continue
        sizes = {
            (part, kind): len(json.dumps(found))
            for part in ("watched", "states")
            for kind, found in document[part].items()
        }
        if not sizes:
            return text
        part, kind = max(sizes, key=lambda each: sizes[each] * (2 if each[0] == "watched" else 1))
        del document[part][kind]
        if (part, kind) == ("watched", "file"):
            document["programs"] = {}
        document["truncated"].append("{0} {1}".format(part, kind))


def lower_priority() -> None:
    """Leave the processor and the disks to the host's own work."""
    try:
        os.nice(10)
        # ioprio_set of this process: best effort, the last of it.
        number = {"x86_64": 251, "aarch64": 30}.get(os.uname().machine)
        if number:
            ctypes.CDLL(None, use_errno=True).syscall(number, 1, 0, (2 << 13) | 7)
    except (OSError, AttributeError):
        pass
