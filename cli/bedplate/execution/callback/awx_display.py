# ruff: noqa: SLF001 (what a callback plugin gets from ansible is partly private)
"""The callback plugin of ansible-runner, whose events go to Bedplate through memory instead of files."""

from __future__ import annotations

import functools
import importlib.util
import io
import os
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

from ansible import constants as C  # noqa: N812 (ansible's own name for it)
from ansible.playbook.block import Block
from ansible.playbook.task import Task

from bedplate.drift.managed import is_neutral, leaves_its_work, managed
from bedplate.execution.feed import EventFeed, is_unverified

DOCUMENTATION = """
    name: awx_display
    type: stdout
    short_description: sends events to Bedplate
    description:
        - What ansible-runner's plugin of this name does, without a file for each event.
    extends_documentation_fragment:
        - default_callback
        - result_format_callback
"""


def _load_original() -> ModuleType:
    """Load ansible-runner's plugin by its file: importing the package around it would cost a quarter of a second."""
    package = importlib.util.find_spec("ansible_runner")
    if package is None or not package.submodule_search_locations:
        raise ImportError("ansible-runner is not installed")
    file = Path(package.submodule_search_locations[0], "display_callback", "callback", "awx_display.py")
    spec = importlib.util.spec_from_file_location("bedplate_awx_display", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"ansible-runner has no callback plugin at {file}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# A task's variable: kind and key, `file:/etc/motd`, of what it manages where nobody could tell; empty for nothing.
_SAID = "bedplate_manages"

_original = _load_original()
_context = _original.event_context


class Capture:
    """Holds what is printed with an event, so that both leave in one piece. Used under the lock of the display."""

    def __init__(self, feed: EventFeed) -> None:
        self._feed = feed
        self._described: str | None = None
        self.thread = 0
        self._streams = sys.stdout, sys.stderr
        self._printed = io.StringIO()

    def begin(self, _stream: TextIO) -> None:
        """Take what is printed from now on."""
        self._described = self._feed.describe(_context.get_begin_dict())
        self._streams = sys.stdout, sys.stderr
        self._printed = io.StringIO()
        self.thread = threading.get_ident()
        sys.stdout = sys.stderr = self._printed

    def end(self, _stream: TextIO) -> None:
        """Send the event with what was printed."""
        if self._described is None:
            return
        self.thread = 0
        sys.stdout, sys.stderr = self._streams
        described, self._described = self._described, None
        self._feed.send_event(described, self._printed.getvalue())


_capture = Capture(EventFeed(int(os.environ["BEDPLATE_EVENTS"]), _original.AnsibleJSONEncoderLocal))
_context.dump_begin = _capture.begin
_context.dump_end = _capture.end


def _lighten(display: type) -> None:
    """Take away what ansible-runner put around methods that are called many times a task, where it does nothing."""
    if not C.DEFAULT_DEBUG:
        display.debug = display.debug.__wrapped__  # type: ignore[attr-defined]
    wrapped = display.display  # type: ignore[attr-defined]
    plain = wrapped.__wrapped__

    @functools.wraps(plain)
    def show(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        inside = _capture.thread == threading.get_ident()
        return plain(*args, **kwargs) if inside else wrapped(*args, **kwargs)

    display.display = show  # type: ignore[attr-defined]


_lighten(_original.Display)


class CallbackModule(_original.CallbackModule):  # type: ignore[misc, name-defined]
    """Adds what cannot be seen from outside of ansible, and leaves out what nobody needs."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "awx_display"

    def v2_runner_on_start(self, host: Any, task: Any) -> None:  # noqa: ANN401, ARG002 (ansible's signature)
        """Remember when the host began; half of all events would be of this kind, and results carry the duration."""
        self._host_start[host.get_name()] = datetime.now(UTC)

    def v2_runner_on_ok(self, result: Any) -> None:  # noqa: ANN401
        with _context.set_local(**what_it_manages(result)):
            super().v2_runner_on_ok(result)

    def v2_runner_item_on_ok(self, result: Any) -> None:  # noqa: ANN401
        with _context.set_local(**what_it_manages(result)):
            super().v2_runner_item_on_ok(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:  # noqa: ANN401
        with _context.set_local(rescued=is_rescued(result._task)):
            super().v2_runner_on_failed(result, ignore_errors)

    def v2_runner_on_skipped(self, result: Any) -> None:  # noqa: ANN401
        with _context.set_local(unverified=is_unverified(result._result)):
            super().v2_runner_on_skipped(result)

    def v2_runner_item_on_skipped(self, result: Any) -> None:  # noqa: ANN401
        with _context.set_local(unverified=is_unverified(result._result)):
            super().v2_runner_item_on_skipped(result)

    def v2_runner_on_unreachable(self, result: Any) -> None:  # noqa: ANN401
        with _context.set_local(ignore_unreachable=bool(result._task.ignore_unreachable)):
            super().v2_runner_on_unreachable(result)


def what_it_manages(told: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return what of a host a task brings to its state, for its event: `manages`, or why nobody knows: `unsealed`.

    Args:
        told: the task's result, as ansible hands it to callback plugins. What it does to another host is not told.
    """
    task, result, host = told._task, told._result, told._host.get_name()
    action = getattr(task, "resolved_action", None) or task.action
    reads_only = task.changed_when == [False]
    elsewhere = (task.delegate_to or host) != host  # rendered, in a result
    if reads_only or elsewhere or ("results" in result and task.loop is not None) or is_neutral(action):
        return {}
    if _SAID in task.vars:
        return {"manages": [named.split(":", 1) for named in task.vars[_SAID]]}
    return _by_the_table(task, action, result)


def _by_the_table(task: Task, action: str, result: Mapping[str, Any]) -> dict[str, Any]:
    if "censored" in result:
        return {"unsealed": "its result is hidden"}
    given = (result.get("invocation") or {}).get("module_args")
    arguments = task.args if leaves_its_work(action) else given  # the task's own have no templates any more
    if not isinstance(arguments, Mapping):
        return {"unsealed": "it says nothing of its arguments"}
    try:
        found = managed(action, arguments, result)
    except (KeyError, TypeError, AttributeError):
        return {"unsealed": f"its arguments are not as the table of {action} has them"}
    return {"unsealed": f"no row says what {action} manages"} if found is None else {"manages": found}


def is_rescued(task: Task) -> bool:
    """Return whether a failure of this task leads into a `rescue` section."""
    child, parent = task, task._parent
    while parent is not None:
        if isinstance(parent, Block) and parent.rescue and any(child._uuid == inner._uuid for inner in parent.block):
            return True
        child, parent = parent, parent._parent
    return False
