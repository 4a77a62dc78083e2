"""What the fake holds, and its answers: lists in pages, objects, surveys, relations, and faults on demand.

What no test should ask for is answered with 599, which no client takes for an answer, and is kept in `unexpected`.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import yaml

from fake_awx.answers import Answer, loud
from fake_awx.executions import Executions
from fake_awx.fields import RECORDED, collections, fields_of, options, taken
from fake_awx.launches import check_answers, filled
from fake_awx.rules import CHECKS
from fake_awx.surveys import check_survey

ROLES = ("JobTemplate Execute", "WorkflowJobTemplate Execute", "WorkflowJobTemplate Approve")
_TEMPLATES = ("job_templates", "workflow_job_templates")
_TYPES = {"inventories": "inventory"}
_PLURALS = {"inventory": "inventories"}
# Filters that look at another object.
_ACROSS = {
    "role_definition__name",
    "organization__name",
    "inventory__organization",
    "unified_job_template__organization",
    "workflow_job_template__organization",
}
_SECRET = "$encrypted$"
# Relations that are attached one by one, and what they hold.
_RELATED = {
    "labels": "labels",
    "credentials": "credentials",
    "notification_templates_started": "notification_templates",
    "notification_templates_success": "notification_templates",
    "notification_templates_error": "notification_templates",
    "notification_templates_approvals": "notification_templates",
    "success_nodes": "workflow_job_template_nodes",
    "failure_nodes": "workflow_job_template_nodes",
    "always_nodes": "workflow_job_template_nodes",
}
_LINKS = ("success_nodes", "failure_nodes", "always_nodes")
Entry = dict[str, Any]


@dataclass
class Fault:
    """An answer instead of the right one; `status` 0 drops the connection, `after` first does what was asked."""

    method: str
    path: str
    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    after: bool = False


class FakeAwx:
    """The state of the server; tests look into `objects` and `requests`."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[int, Entry]] = {name: {} for name in collections()}
        self.requests: list[tuple[str, str]] = []
        self.unexpected: list[str] = []
        self.faults: list[Fault] = []
        self.playbooks = ["playbooks/ping.yml", "playbooks/baseline.yml", "playbooks/verify.yml"]
        self.root = "/api/v2/"
        self.url = ""
        self.user = "bedplate"
        self.syncing = 0
        self.clock = timedelta()
        self._last = defaultdict(int)  # type: ignore[var-annotated]
        self.lock = threading.Lock()
        self.jobs = Executions(self)
        for name in ROLES:
            self.add("role_definitions", name=name)

    def add(self, collection: str, *, by: str = "admin", **body: Any) -> Entry:
        """Make an object as somebody else would."""
        before, self.user = self.user, by
        try:
            return self._create(collection, body)
        finally:
            self.user = before

    def edit(self, collection: str, number: int, *, by: str = "admin", **body: Any) -> None:
        """Change an object as somebody else would, also its survey."""
        entry = self.objects[collection][number]
        entry.update(body)
        entry["modified_by"] = by

    def take_over(self, name: str) -> None:
        """Make a job template somebody else's: neither its mark nor its label is left."""
        template = self.named("job_templates", name)
        related = {**template["related"], "labels": []}
        self.edit("job_templates", template["id"], description="Somebody's.", related=related)

    def get(self, collection: str, number: int) -> Entry:
        if number not in self.objects[collection]:
            raise Answer(404, {"detail": "Not found."})
        return self.objects[collection][number]

    def template(self, number: int) -> Entry:
        return next(self.objects[kind][number] for kind in _TEMPLATES if number in self.objects[kind])

    def named(self, collection: str, name: str) -> Entry:
        return next(entry for entry in self.objects[collection].values() if entry.get("name") == name)

    def take_fault(self, method: str, target: str) -> Fault | None:
        for fault in self.faults:
            if fault.times and fault.method == method and re.search(fault.path, target):
                fault.times -= 1
                return fault
        return None

    def asked(self, method: str) -> list[str]:
        return [path for verb, path in self.requests if verb == method]

    def answer(self, method: str, target: str, body: Any) -> tuple[int, Any]:
        path, _, query = target.partition("?")
        if not path.startswith(self.root):
            return 404, {"detail": "The requested resource could not be found."}
        parts = path.removeprefix(self.root).strip("/").split("/")
        try:
            return self._route(method, parts, dict(parse_qsl(query)), body)
        except Answer as answer:
            if answer.status == 599:
                self.unexpected.append(f"{method} {target}")
            return answer.status, answer.body

    def _route(self, method: str, parts: list[str], query: dict[str, str], body: Any) -> tuple[int, Any]:
        if parts == ["me"] and method == "GET":
            return 200, {"count": 1, "next": None, "results": [{"id": 1, "username": self.user}]}
        collection, *rest = parts
        if collection == "jobs":
            return self.jobs.route(method, rest, query)
        if collection not in self.objects or len(rest) > 2:
            raise loud(f"{method} {'/'.join(parts)}")
        if not rest:
            return self._collection(method, collection, query, body)
        number = int(rest[0])
        if len(rest) == 1:
            return self._one(method, collection, number, body)
        return self._related(method, collection, number, rest[1], body)

    def _collection(self, method: str, collection: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if method == "OPTIONS" and collection in RECORDED:
            return 200, options(collection)
        if method == "POST":
            return 201, self.shown(collection, self._create(collection, body))
        if method == "GET":
            return 200, self._page(collection, query)
        raise loud(f"{method} {collection}")

    def _page(self, collection: str, query: dict[str, str]) -> Entry:
        size, page = min(int(query.pop("page_size", 25)), 200), int(query.pop("page", 1))
        query.pop("order_by", None)
        found = [each for each in self.objects[collection].values() if self._matches(collection, each, query)]
        more = len(found) > size * page
        next_page = f"{self.root}{collection}/?page={page + 1}&page_size={size}" + "".join(
            f"&{key}={value}" for key, value in query.items()
        )
        entries = [self.shown(collection, each) for each in found[size * (page - 1) : size * page]]
        return {"count": len(found), "next": next_page if more else None, "previous": None, "results": entries}

    def _matches(self, collection: str, entry: Entry, query: dict[str, str]) -> bool:
        for key, value in query.items():
            if key.removesuffix("__in") in _RELATED and key.endswith("__in"):
                attached = {str(number) for number in entry["related"][key.removesuffix("__in")]}
                held: Any = not attached.isdisjoint(value.split(","))
            elif key in _RELATED:
                held = value in {str(number) for number in entry["related"][key]}
            elif key in _ACROSS:
                relation, _, there = key.partition("__")
                held = str(self._other(relation, entry[relation])[there]) == value
            elif key in fields_of(collection) or key in entry:
                held = str(entry.get(key)) == value
            else:
                raise loud(f"the filter {key} of {collection}")
            if not held:
                return False
        return True

    def _other(self, relation: str, number: int) -> Entry:
        collections = _TEMPLATES if relation == "unified_job_template" else (_PLURALS.get(relation, f"{relation}s"),)
        return next(self.objects[each][number] for each in collections if number in self.objects[each])

    def _create(self, collection: str, body: Any) -> Entry:
        kept = taken(collection, body, partial=False)
        self._last[_numbering(collection)] += 1
        entry = {"id": self._last[_numbering(collection)], "organization": None, **kept}
        entry |= {"survey_spec": None, "related": {name: [] for name in _RELATED}, "modified_by": self.user}
        if collection in CHECKS:
            CHECKS[collection](self, entry)
        self.objects[collection][entry["id"]] = entry
        return entry

    def _one(self, method: str, collection: str, number: int, body: Any) -> tuple[int, Any]:
        entry = self.get(collection, number)
        if method == "GET":
            if collection == "projects" and self.syncing:
                self.syncing -= 1
                entry["status"] = "running" if self.syncing else "successful"
                entry["playbooks"] = [] if self.syncing else list(self.playbooks)
            return 200, self.shown(collection, entry)
        if method == "PATCH":
            changed = {**entry, **taken(collection, body, partial=True), "modified_by": self.user}
            if collection in CHECKS:
                CHECKS[collection](self, changed)
            _keep_secrets(entry, changed)
            entry.update(changed)
            return 200, self.shown(collection, entry)
        if method == "DELETE":
            del self.objects[collection][number]
            return 204, None
        raise loud(f"{method} {collection}/{number}")

    def _related(self, method: str, collection: str, number: int, name: str, body: Any) -> tuple[int, Any]:
        entry = self.get(collection, number)
        if name == "survey_spec" and collection in _TEMPLATES:
            return self._survey(method, entry, body)
        if name == "launch" and collection == "job_templates" and method == "POST":
            return 201, self._launch(entry, body)
        if name == "update" and collection == "projects" and method == "POST":
            self.syncing, entry["status"] = 2, "pending"
            return 202, {"project_update": 99}
        if name == "create_approval_template" and method == "POST":
            self._last["templates"] += 1
            entry["approval"] = {"id": self._last["templates"], "timeout": 0, "description": "", **body}
            entry["unified_job_template"] = entry["approval"]["id"]
            return 201, entry["approval"]
        if name not in _RELATED or method != "POST":
            raise loud(f"{method} {collection}/{number}/{name}")
        self.get(_RELATED[name], body["id"])
        held = entry["related"][name]
        if body.get("disassociate"):
            entry["related"][name] = [each for each in held if each != body["id"]]
            if name == "labels" and not self._is_attached(body["id"]):
                del self.objects["labels"][body["id"]]  # AWX keeps none that nothing bears
        elif body["id"] not in held:
            held.append(body["id"])
        return 204, None

    def _is_attached(self, label: int) -> bool:
        return any(label in each["related"]["labels"] for kind in _TEMPLATES for each in self.objects[kind].values())

    def _survey(self, method: str, entry: Entry, body: Any) -> tuple[int, Any]:
        if method == "GET":
            return 200, entry["survey_spec"] or {}
        if method == "DELETE":
            entry["survey_spec"] = None
            return 200, ""
        check_survey(body, entry["survey_spec"])
        entry["survey_spec"] = body
        entry["modified_by"] = self.user
        return 200, ""

    def _launch(self, template: Entry, body: Any) -> Entry:
        given = body.get("extra_vars", {})
        if isinstance(given, str):
            given = yaml.safe_load(given)
        survey = template["survey_spec"] or {}
        check_answers(survey, given)
        extra = given if template["ask_variables_on_launch"] else {}
        ignored = {
            key: value for key, value in body.items() if key == "job_tags" and not template["ask_tags_on_launch"]
        }
        variables = {**filled(survey, given), **_rest(survey, extra)}
        job, unasked = self.jobs.launch(template, body, variables)
        return {**job, "job": job["id"], "extra_vars": variables, "ignored_fields": {**ignored, **unasked}}

    def shown(self, collection: str, entry: Entry) -> Entry:
        hidden = {"survey_spec", "related", "modified_by", "playbooks", "approval"}
        shown = {key: value for key, value in entry.items() if key not in hidden}
        if collection == "credentials":
            secret = {each["id"] for each in self._secret_inputs(entry)}
            shown["inputs"] = {key: _SECRET if key in secret else value for key, value in entry["inputs"].items()}
        if collection == "notification_templates":
            shown["notification_configuration"] = hidden_configuration(entry)
        base = f"{self.root}{collection}/{entry['id']}/"
        summary = {"modified_by": {"username": entry["modified_by"]}}
        for name in ("labels", "credentials"):
            held = [self.objects[name][number] for number in entry["related"][name] if number in self.objects[name]]
            several = {"count": len(held), "results": [{"id": each["id"], "name": each["name"]} for each in held[:10]]}
            summary[name] = several if name == "labels" else several["results"]  # type: ignore[assignment]
        if entry["survey_spec"]:
            survey = entry["survey_spec"]
            summary["survey"] = {"title": survey["name"], "description": survey["description"]}
        if entry.get("approval"):
            kind = {"unified_job_type": "workflow_approval"}
            summary["unified_job_template"] = {**entry["approval"], **kind}
        nodes = {name: entry["related"][name] for name in _LINKS} if "identifier" in entry else {}
        kind_name = _TYPES.get(collection, collection.removesuffix("s"))
        return {**shown, **nodes, "type": kind_name, "url": base, "related": {}, "summary_fields": summary}

    def _secret_inputs(self, entry: Entry) -> list[Entry]:
        kind = self.objects["credential_types"].get(entry["credential_type"], {"inputs": {}})
        return [each for each in kind["inputs"].get("fields", []) if each.get("secret")]


def hidden_configuration(entry: Entry) -> Entry:
    """What AWX shows of a notification template: no passwords."""
    known = options("notification_templates")["actions"]["POST"]["notification_configuration"]
    fields = known[entry["notification_type"]]
    given: Entry = entry["notification_configuration"]
    return {key: _SECRET if fields[key]["type"] == "password" and value else value for key, value in given.items()}


def _numbering(collection: str) -> str:
    return "templates" if collection in {*_TEMPLATES, "projects", "inventory_sources"} else collection


def _keep_secrets(old: Entry, new: Entry) -> None:
    for name in ("inputs", "notification_configuration"):
        for key, value in (new.get(name) or {}).items():
            if value == _SECRET:
                new[name] = {**new[name], key: old[name][key]}


def _rest(survey: Entry, given: Entry) -> Entry:
    names = {item["variable"] for item in survey.get("spec", [])}
    return {key: value for key, value in given.items() if key not in names}
