"""What is loaded before a person sees anything: help and completion import next to nothing beside click."""

from __future__ import annotations

import json
import os
import subprocess
import sys

# Each of these costs more than all that help and completion do; settings alone are sixteen classes and a TOML reader.
SLOW = {
    "ansible", "asyncio", "bedplate.settings", "dataclasses", "difflib", "email", "getpass", "hashlib", "httpx",
    "importlib.metadata", "jinja2", "json", "logging", "pydantic", "rich", "secrets", "sqlalchemy", "sqlite3", "ssl",
    "subprocess", "tomllib", "yaml",
}  # fmt: skip
ALWAYS = {
    "bedplate", "bedplate.commands", "bedplate.commands.context", "bedplate.commands.exits", "bedplate.commands.lazy",
    "bedplate.commands.output", "bedplate.errors", "bedplate.main",
}  # fmt: skip
COMPLETION = {
    "bedplate.commands.completing", "bedplate.commands.product_names", "bedplate.commands.run",
    "bedplate.commands.run_ids", "bedplate.commands.times", "bedplate.content", "bedplate.setting_sources",
}  # fmt: skip
SCRIPT = """
import sys
try:
    from bedplate.main import main
    main()
except SystemExit as end:
    loaded = sorted(sys.modules)
    import json
    print(json.dumps([end.code, loaded]), file=sys.stderr)
"""


def loaded_by(words: list[str], **environment: str) -> tuple[str, set[str]]:
    """Return what `bedplate` printed, and the modules that it loaded beyond those of a bare `import click`."""
    bare = subprocess.run(
        [sys.executable, "-c", "import click, sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words], capture_output=True, text=True, check=True,
        env={**os.environ, **environment},
    )  # fmt: skip
    code, modules = json.loads(done.stderr)
    assert code == 0
    return done.stdout, set(modules) - set(bare.stdout.split())


def test_help_loads_next_to_nothing() -> None:
    out, modules = loaded_by(["--help"])
    assert out.startswith("Usage: bedplate")
    assert {module for module in modules if module.startswith("bedplate")} == ALWAYS
    assert not modules & (SLOW | {"pathlib"})


def test_completion_of_products_loads_little() -> None:
    line = {"_BEDPLATE_COMPLETE": "bash_complete", "COMP_WORDS": "bedplate run pi", "COMP_CWORD": "2"}
    out, modules = loaded_by([], **line)
    assert out == "plain,ping\n"
    assert {module for module in modules if module.startswith("bedplate")} == ALWAYS | COMPLETION
    assert not modules & SLOW
