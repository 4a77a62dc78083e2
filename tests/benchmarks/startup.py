"""`bedplate --help` and completion, against a bare `import click`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from .figures import Figure, compare, seconds

_SAMPLES = 15


def measure() -> list[Figure]:
    """Return the start-up figures; limit: twice a bare import of click."""
    bedplate = str(Path(sys.executable).with_name("bedplate"))
    completion = {**os.environ, "_BEDPLATE_COMPLETE": "bash_complete", "COMP_WORDS": "bedplate run ", "COMP_CWORD": "2"}
    bare = [sys.executable, "-c", "import click"]
    figures = []
    for name, command, env in (
        ("bedplate --help / import click", [bedplate, "--help"], dict(os.environ)),
        ("completion of products / import click", [bedplate], completion),
    ):
        seconds(command, env)
        pairs = [(seconds(command, env), seconds(bare)) for _ in range(_SAMPLES)]
        figures.append(compare(name, *zip(*pairs, strict=True), limit=2.0))
    return figures
