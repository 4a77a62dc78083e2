"""An AWX 24.6.1 in memory, made from recorded answers: `fake_awx.server.awx()` serves one."""

from __future__ import annotations
