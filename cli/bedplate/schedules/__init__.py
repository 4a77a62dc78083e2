"""Schedules of products: systemd's timers, or lines of cron. Nothing here runs anything by itself."""

from __future__ import annotations

from bedplate.schedules.entries import Entry, Program, entries_of
from bedplate.schedules.installation import install, installed, remove
from bedplate.schedules.rendering import cron_file, units, verify

__all__ = ["Entry", "Program", "cron_file", "entries_of", "install", "installed", "remove", "units", "verify"]
