"""Completion of run ids: straight from a SQLite store, without SQLAlchemy, because a person waits."""

from __future__ import annotations

import os

import click
from click.shell_completion import CompletionItem

from bedplate.errors import BedplateError

_SQLITE = "sqlite:///"
_NEWEST = "SELECT id, product, status FROM runs WHERE id LIKE ? ORDER BY created_at DESC LIMIT 20"


def complete_run(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the newest runs whose id begins so; nothing where the store is a server or cannot be read."""
    import sqlite3

    try:
        url = _store_url()
    except BedplateError:
        return []
    if not url.startswith(_SQLITE):
        return []
    try:
        connection = sqlite3.connect(f"file:{url.removeprefix(_SQLITE)}?mode=ro", uri=True, timeout=0.2)
        rows = connection.execute(_NEWEST, (f"{incomplete}%",)).fetchall()
        connection.close()
    except sqlite3.Error:
        return []
    return [CompletionItem(run_id, help=f"{product}, {status}") for run_id, product, status in rows]


def _store_url() -> str:
    from bedplate.setting_sources import one_setting, state_folder

    return one_setting("store", "url") or f"{_SQLITE}{state_folder(os.environ) / 'bedplate.db'}"
