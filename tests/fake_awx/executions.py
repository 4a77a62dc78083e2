"""Jobs of the fake: launched, listed, followed by their events, canceled and deleted.

These were not recorded: what they look like, and what may be asked of them, is from AWX's documentation and source.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from fake_awx.answers import Answer, loud

if TYPE_CHECKING:
    from fake_awx.state import FakeAwx

Entry = dict[str, Any]
_ACTIVE = {"new", "pending", "waiting", "running"}
_ONLY_IN_DETAIL = {"event_processing_finished", "result_traceback"}
_FILTERS = {"id__gt", "job_template", "launch_type", "job_template__organization__name"}
_PAGING = {"page", "page_size", "order_by"}
_OF_EVENTS = {"counter__gte", "counter__lt", "order_by", "limit", "no_truncate"}
_PROMPTS = ("limit", "job_type", "diff_mode")
REVISION = "4c1d0c5f6b7a8d9e0f1a2b3c4d5e6f7a8b9c0d1e"


@dataclass
class Course:
    """What a job will do. Each look at the job takes the next step; after the last one it has ended.

    Attributes:
        events: all that it reports.
        steps: how many of the events AWX has saved at each look, or which of them.
        status: how it ends.
        fields: what else is in it then.
        lost: events that AWX never saves.
    """

    events: list[Entry] = field(default_factory=list)
    steps: list[int | list[int]] = field(default_factory=list)
    status: str = "successful"
    fields: Entry = field(default_factory=dict)
    lost: set[int] = field(default_factory=set)
    ends: bool = True
    on_look: Callable[[Entry], None] = lambda _body: None


class Executions:
    """All jobs of one fake."""

    def __init__(self, awx: FakeAwx) -> None:
        self._awx = awx
        self.bodies: dict[int, Entry] = {}
        self.courses: dict[int, Course] = {}
        self.saved: dict[int, list[Entry]] = {}
        self.course: Callable[[Entry], Course] = lambda _template: Course()
        self.now = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
        self.last = 0
        self.project_failed = False

    def add(self, template: Entry, course: Course, *, by: str | None = "eve", **fields: Any) -> Entry:
        """Make a job as somebody launched it in AWX."""
        self.last += 1
        self.now += timedelta(seconds=1)
        user = {"created_by": {"id": 9, "username": by}} if by else {}
        body = {
            "id": self.last,
            "type": "job",
            "name": template["name"],
            "job_template": template["id"],
            "launch_type": "manual",
            "status": "pending",
            "created": _text(self.now),
            "started": None,
            "finished": None,
            "elapsed": 0.0,
            "job_type": template["job_type"],
            "limit": template["limit"],
            "diff_mode": template["diff_mode"],
            "extra_vars": "{}",
            "job_explanation": "",
            "result_traceback": "",
            "scm_revision": "",
            "event_processing_finished": False,
            "launched_by": {"id": 9, "name": by, "type": "user", "url": "/api/v2/users/9/"} if by else {},
            "summary_fields": {**user, "inventory": {"id": 1, "name": "Bedplate"}},
        }
        body |= {key: value for key, value in fields.items() if key != "summary_fields"}
        body["summary_fields"].update(fields.get("summary_fields", {}))
        self.bodies[self.last] = body
        self.courses[self.last] = course
        self.saved[self.last] = []
        return body

    def finished(self, template: Entry, course: Course, **fields: Any) -> Entry:
        """Make a job that has ended already."""
        body = self.add(template, course, **fields)
        course.steps = []
        self._look(body)
        return body

    def launch(self, template: Entry, given: Entry, variables: Entry) -> tuple[Entry, Entry]:
        """Launch a template; return the job and what of the request AWX ignored."""
        project = self._awx.objects["projects"].get(template["project"], {})
        if project.get("status") in {"failed", "error"} and not project.get("scm_update_on_launch"):
            raise Answer(400, {"playbook": "Missing a revision to run due to failed project update."})
        asked = {name: given[name] for name in _PROMPTS if name in given and template[f"ask_{name}_on_launch"]}
        ignored = {name: given[name] for name in _PROMPTS if name in given and not template[f"ask_{name}_on_launch"]}
        body = self.add(template, self.course(template), by=self._awx.user, extra_vars=json.dumps(variables), **asked)
        return body, ignored

    def route(self, method: str, rest: list[str], query: dict[str, str]) -> tuple[int, Any]:
        if not rest and method == "GET":
            return 200, self._page(query)
        number = int(rest[0]) if rest else 0
        if number not in self.bodies:
            raise Answer(404, {"detail": "Not found."})
        if len(rest) == 1 and method == "GET":
            return 200, self._look(self.bodies[number])
        if rest[1:] == ["job_events"] and method == "GET":
            return 200, {"results": self._events(number, query)}
        if rest[1:] == ["cancel"] and method == "POST":
            return self._cancel(number)
        raise loud(f"{method} jobs/{'/'.join(rest)}")

    def _look(self, body: Entry) -> Entry:
        course = self.courses[body["id"]]
        course.on_look(body)
        if body["status"] in _ACTIVE:
            if body["started"] is None:
                body |= {"status": "running", "started": _text(self.now), "scm_revision": REVISION}
            if course.steps:
                self._save(body["id"], course.steps.pop(0))
            elif course.ends:
                self._end(body, course.status)
        return dict(body)

    def _save(self, number: int, what: int | list[int]) -> None:
        events = self.courses[number].events
        if isinstance(what, int):
            self.saved[number] = events[:what]
        else:
            self.saved[number] = [event for event in events if event["counter"] in what]

    def _end(self, body: Entry, status: str) -> None:
        course = self.courses[body["id"]]
        self.saved[body["id"]] = [event for event in course.events if event["counter"] not in course.lost]
        self.now += timedelta(seconds=30)
        finished = not course.lost
        body |= {"status": status, "finished": _text(self.now), "elapsed": 30.0, "event_processing_finished": finished}
        body |= course.fields

    def _cancel(self, number: int) -> tuple[int, Any]:
        body = self.bodies[number]
        if body["status"] not in _ACTIVE:
            raise Answer(405, {"detail": 'Method "POST" not allowed.'})
        course = self.courses[number]
        course.events, course.status = list(self.saved[number]), "canceled"
        course.steps = []
        return 202, None

    def _events(self, number: int, query: dict[str, str]) -> list[Entry]:
        _check(query, _OF_EVENTS, "job_events")
        begin, end = int(query["counter__gte"]), int(query.get("counter__lt", 1 << 40))
        saved = self.saved[number]
        if saved and saved[-1]["counter"] == len(saved):  # none is missing: no search is needed
            found = saved[begin - 1 : end - 1]
        else:
            found = [event for event in saved if begin <= event["counter"] < end]
        return found[: int(query["limit"])]

    def _page(self, query: dict[str, str]) -> Entry:
        _check(query, _FILTERS | _PAGING, "jobs")
        found = [body for body in self.bodies.values() if all(self._has(body, *each) for each in query.items())]
        found.sort(key=lambda body: int(body["id"]), reverse=query["order_by"] == "-id")
        size, page = min(int(query.get("page_size", 25)), 200), int(query.get("page", 1))
        shown = found[size * (page - 1) : size * page]
        more = f"/api/v2/jobs/?page={page + 1}" if len(found) > size * page else None
        entries = [{key: value for key, value in body.items() if key not in _ONLY_IN_DETAIL} for body in shown]
        return {"count": len(found), "next": more, "previous": None, "results": entries}

    def _has(self, body: Entry, key: str, value: str) -> bool:
        if key in _PAGING:
            return True
        if key == "id__gt":
            return bool(body["id"] > int(value))
        if key == "job_template__organization__name":
            template = self._awx.objects["job_templates"].get(body["job_template"] or 0)
            organizations = self._awx.objects["organizations"]
            return template is not None and organizations[template["organization"]]["name"] == value
        return str(body[key]) == value


def _check(query: Iterable[str], known: set[str], what: str) -> None:
    for key in query:
        if key not in known:
            raise loud(f"the filter {key} of {what}")


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"


def playbook(hosts: Iterable[str], tasks: int = 2, failing: Iterable[str] = (), **result: Any) -> list[Entry]:
    """The events of a playbook: each host does each task; those that fail do so in the last one.

    Args:
        result: what is in each result.
    """
    names, bad = list(hosts), set(failing)
    events = [_event("playbook_on_start"), _event("playbook_on_play_start", play="Play", name="Play")]
    for task in range(1, tasks + 1):
        about = {"play": "Play", "task": f"Task {task}", "task_action": "ansible.builtin.command"}
        events.append(_event("playbook_on_task_start", **about))
        for host in names:
            failed = host in bad and task == tasks
            kind = "runner_on_failed" if failed else "runner_on_ok"
            outcome = {"changed": not failed, "msg": "it broke" if failed else "", **result}
            events.append(_event("runner_on_start", host=host, **about))
            events.append(_event(kind, host=host, res=outcome, duration=0.5, **about))
    counts = {
        "processed": dict.fromkeys(names, 1),
        "ok": {host: tasks - (host in bad) for host in names},
        "changed": {host: tasks - (host in bad) for host in names},
        "failures": dict.fromkeys(bad, 1),
        "dark": {},
        "skipped": {},
        "rescued": {},
        "ignored": {},
    }
    return numbered([*events, _event("playbook_on_stats", **counts)])


def refused(host: str, sentence: str) -> list[Entry]:
    """The events of a product whose first task does not take an answer."""
    about = {"play": "Play", "task": "Check", "task_action": "bedplate.datacenter.validate_parameters"}
    failed = _event("runner_on_failed", host=host, res={"changed": False, "msg": sentence}, **about)
    counts = {"processed": {host: 1}, "failures": {host: 1}}
    return numbered([_event("playbook_on_start"), failed, _event("playbook_on_stats", **counts)])


def printed(*lines: str) -> list[Entry]:
    """The events of a playbook that could not be started: only what was printed."""
    return numbered([{**_event("verbose"), "stdout": f"\x1b[0;31m{line}\x1b[0m\r\n"} for line in lines])


def numbered(events: list[Entry]) -> list[Entry]:
    return [{**event, "id": 1000 + counter, "counter": counter} for counter, event in enumerate(events, 1)]


def _event(kind: str, **data: Any) -> Entry:
    host = f"[{data['host']}]" if "host" in data else ""
    return {
        "type": "job_event",
        "event": kind,
        "created": "2026-11-25T12:00:00.000000Z",
        "uuid": "8f0b6c9e-0000-0000-0000-000000000000",
        "parent_uuid": "",
        "stdout": f"\x1b[0;32m{kind} {host}\x1b[0m" if kind.startswith("runner_on_") else "",
        "event_data": data,
        "failed": kind == "runner_on_failed",
        "changed": bool(data.get("res", {}).get("changed")),
        "host_name": data.get("host", ""),
    }
