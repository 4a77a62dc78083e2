# Copyright: (c) 2026, The Bedplate developers
# Apache-2.0 (see LICENSE)
"""Ends a play in order when a file appears."""

from __future__ import annotations

import os
import sys
from typing import Any

from ansible.executor.play_iterator import IteratingStates, PlayIterator
from ansible.inventory.host import Host
from ansible.playbook.play import Play
from ansible.playbook.task import Task
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: stop
type: aggregate
short_description: Ends a run in order when a file appears
version_added: "0.1.0"
description:
  - Looks for a file before each task. As soon as it is there, no host begins another task. Tasks that are under way
    end, the hosts that had not begun the task skip it, and the run ends as if it were done, with its summary.
  - Blocks in C(always) and C(rescue) and notified handlers do not run either. Roles have to start from the state of
    a host, not from notifications alone.
  - The name of the task before which the run ended is written to the file.
  - Looks for another file before each play, and so before each batch of C(serial). Once that is there, no further
    play or batch begins, but for those that only concern this machine (C(hosts) is localhost, or C(connection) is
    local, as in plays that only report); what is under way goes on to its end. The name of the task before which the
    first one ended is added to the file.
requirements:
  - Enabled in C(callbacks_enabled).
options:
  hold:
    description: The file that lets no further batch begin.
    type: path
    env:
      - name: BEDPLATE_HOLD_FILE
    ini:
      - section: callback_stop
        key: hold
  file:
    description: The file that ends the run. Without it nothing does.
    type: path
    env:
      - name: BEDPLATE_STOP_FILE
    ini:
      - section: callback_stop
        key: file
"""

EXAMPLES = """
# ANSIBLE_CALLBACKS_ENABLED=bedplate.datacenter.stop BEDPLATE_STOP_FILE=/run/user/1000/stop ansible-playbook site.yml
# touch /run/user/1000/stop
"""


_HERE = {"localhost", "127.0.0.1", "::1"}


class CallbackModule(CallbackBase):
    """Skips what has not begun, and ends the hosts' plays, once the file is there."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "bedplate.datacenter.stop"
    CALLBACK_NEEDS_ENABLED = True
    CALLBACK_NEEDS_WHITELIST = True

    wants_implicit_tasks = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self._file: str | None = None
        self._hold: str | None = None
        self._held = False
        self._told = False

    def set_options(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().set_options(*args, **kwargs)
        self._file = self.get_option("file")
        self._hold = self.get_option("hold")

    def v2_playbook_on_play_start(self, play: Play) -> None:
        """A play or a batch of it is about to begin: let it begin no task if it is to be held."""
        here = play.connection == "local" or set(play.hosts) <= _HERE
        self._held = bool(self._hold) and os.path.exists(self._hold) and not here

    def v2_playbook_on_task_start(self, task: Task, is_conditional: bool) -> None:  # noqa: ARG002 (ansible's signature)
        """No host has begun this task: skip it for all, and end whatever comes after it."""
        self._end_before(task)

    def v2_playbook_on_handler_task_start(self, task: Task) -> None:
        """The same for a handler."""
        self._end_before(task)

    def v2_runner_on_start(self, host: Host, task: Task) -> None:  # noqa: ARG002
        """This host is about to begin: let it and those after it skip the task."""
        self._skip(task)

    def _end_before(self, task: Task) -> None:
        if self._skip(task):
            iterator = _current_iterator()
            if iterator is not None:
                _end_hosts(iterator)

    def _skip(self, task: Task) -> bool:
        stopped = bool(self._file) and os.path.exists(self._file)
        if not stopped and not self._held:
            return False
        if not self._told:
            self._told = True
            self._tell(task.get_name(), stopped)
        task.when = [False]
        return True

    def _tell(self, name: str, stopped: bool) -> None:
        with open(self._file if stopped else self._hold, "w" if stopped else "a", encoding="utf-8") as stream:
            stream.write(name + "\n")


def _current_iterator() -> PlayIterator | None:
    """Return the iterator of the play that is being run: it is what the strategy that called us works with.

    Callbacks are not given it. Without it nothing is lost but time: every task that is left is skipped one by one.
    """
    frame = sys._getframe(1)  # noqa: SLF001
    while frame is not None:
        candidate = frame.f_locals.get("iterator")
        if isinstance(candidate, PlayIterator):
            return candidate
        frame = frame.f_back
    return None


def _end_hosts(iterator: PlayIterator) -> None:
    """Let no host have another task, as `meta: end_play` does."""
    for name in list(iterator.host_states):
        iterator.set_run_state_for_host(name, IteratingStates.COMPLETE)
