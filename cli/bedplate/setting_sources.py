"""Where settings stand: bedplate.toml, the file that BEDPLATE_CONFIG names, BEDPLATE_… variables.

Read without knowing which settings there are: shell completion asks here for one of them, because a person waits.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bedplate.errors import SettingsError

PROJECT_FILE = "bedplate.toml"


def state_folder(env: Mapping[str, str]) -> Path:
    """Return the state folder, whether it exists or not."""
    if env.get("BEDPLATE_HOME"):
        return Path(env["BEDPLATE_HOME"]).expanduser().absolute()
    base = env.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser().absolute() / "bedplate"


def setting_files(env: Mapping[str, str], cwd: Path) -> list[Path]:
    """Return the files that hold for a folder: what a later one says counts more."""
    files = [folder / PROJECT_FILE for folder in (cwd, *cwd.parents) if (folder / PROJECT_FILE).is_file()][:1]
    if env.get("BEDPLATE_CONFIG"):
        files.append(Path(env["BEDPLATE_CONFIG"]).expanduser())
    return files


def read_setting_file(file: Path) -> dict[str, Any]:
    """Return what stands in a file.

    Raises:
        SettingsError: it cannot be read, or is no TOML.
    """
    import tomllib  # noqa: PLC0415 (most people have no such file, and completion waits for it)

    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror}", where=str(file)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"is not valid TOML: {error}", where=str(file)) from error


def one_setting(section: str, key: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """Return what one setting of text says, unchecked; empty where it is said nowhere.

    Raises:
        SettingsError: a file cannot be read.
    """
    env = os.environ if env is None else env
    said = env.get(f"BEDPLATE_{section}_{key}".upper())
    if said is not None:
        return said
    for file in reversed(setting_files(env, cwd or Path.cwd())):
        table = read_setting_file(file).get(section)
        if isinstance(table, dict) and isinstance(table.get(key), str):
            return str(table[key])
    return ""
