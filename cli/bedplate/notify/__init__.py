"""Telling people of results, by product and outcome. A message that cannot be sent never fails a run."""

from __future__ import annotations

from bedplate.notify.announcing import Announcer
from bedplate.notify.receivers import Receivers, load_receivers
from bedplate.notify.sending import Message, send

__all__ = ["Announcer", "Message", "Receivers", "load_receivers", "send"]
