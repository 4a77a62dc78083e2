"""The fake AWX answers each probe as the real one did: what was recorded, in tests/fixtures/awx/probes.txt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from fake_awx.fields import FIXTURES, RECORDED
from fake_awx.server import TOKEN, awx_server
from fake_awx.state import FakeAwx

_UNSET: Any = object()
RULE = "RRULE:FREQ=DAILY;INTERVAL=1"
UTC_START = "DTSTART:20270101T020000Z"
BERLIN = "DTSTART;TZID=Europe/Berlin:20270101T020000"


def _recorded() -> dict[str, str]:
    lines = (FIXTURES / "probes.txt").read_text(encoding="utf-8").splitlines()
    return dict(found.groups() for line in lines if (found := re.match(r"([SJPITUHGLR] .*?): (\d{3}\b.*)", line)))  # type: ignore[arg-type]


ANSWERS = _recorded()


def _item(**change: Any) -> dict[str, Any]:
    item = {"type": "text", "question_name": "Q", "variable": "v", "required": False, **change}
    return {key: value for key, value in item.items() if value is not _UNSET}


def _survey(*items: dict[str, Any], **change: Any) -> dict[str, Any]:
    survey = {"name": "n", "description": "d", "spec": list(items), **change}
    return {key: value for key, value in survey.items() if value is not _UNSET}


def _integer(**change: Any) -> dict[str, Any]:
    return _survey(_item(type="integer", **change))


def _choice(kind: str = "multiplechoice", **change: Any) -> dict[str, Any]:
    return _survey(_item(type=kind, **change))


LETTERS = "a\nb\nc"
SURVEYS: dict[str, dict[str, Any]] = {
    "minimal": _survey(_item()),
    "no name": _survey(_item(), name=_UNSET),
    "no description": _survey(_item(), description=_UNSET),
    "empty spec": _survey(),
    "name null": _survey(_item(), name=None),
    "missing type": _survey(_item(type=_UNSET)),
    "missing question_name": _survey(_item(question_name=_UNSET)),
    "missing variable": _survey(_item(variable=_UNSET)),
    "missing required": _survey(_item(required=_UNSET)),
    "required str": _survey(_item(required="yes")),
    "type boolean": _survey(_item(type="boolean")),
    "type string": _survey(_item(type="string")),
    "type list": _survey(_item(type="list")),
    "int default str": _integer(default="3"),
    "int default float": _integer(default=3.5),
    "int default bool": _integer(default=True),
    "int default null": _integer(default=None),
    "int default empty": _integer(default=""),
    "int default out of range": _integer(default=30, min=0, max=10),
    "text default too long": _survey(_item(default="x" * 30, max=10)),
    "float default int": _survey(_item(type="float", default=1)),
    "float min float": _survey(_item(type="float", min=0.5)),
    "min null": _integer(min=None),
    "min str": _integer(min="1"),
    "min>max": _integer(min=5, max=1),
    "min negative": _integer(min=-5),
    "mc no choices": _choice(),
    "mc empty choices str": _choice(choices=""),
    "mc empty list": _choice(choices=[]),
    "mc list": _choice(choices=["a", "b"]),
    "mc default not in list": _choice(choices=["a", "b"], default="q"),
    "mc default substring of str choices": _choice(choices="apple\nbanana", default="app"),
    "mc default list": _choice(choices=["a"], default=["a"]),
    "mc int choices": _choice(choices=[1, 2], default="1"),
    "mc default empty": _choice(choices=["a"], default=""),
    "ms default list": _choice("multiselect", choices=LETTERS, default=["a", "b"]),
    "ms default str": _choice("multiselect", choices=LETTERS, default="a\nb"),
    "ms default bad": _choice("multiselect", choices=LETTERS, default="a\nz"),
    "ms choices commas": _choice("multiselect", choices="a,b,c"),
    "mc choices null": _choice(choices=None),
    "password default": _survey(_item(type="password", default="x")),
    "password default $encrypted$ (existing)": _survey(_item(type="password", default="$encrypted$")),
    "text $encrypted$": _survey(_item(default="$encrypted$")),
    "password new var $encrypted$": _survey(_item(type="password", variable="new", default="$encrypted$")),
    "password default int": _survey(_item(type="password", default=3)),
    "variable with space": _survey(_item(variable="a b")),
    "variable dash": _survey(_item(variable="a-b")),
    "variable starts digit": _survey(_item(variable="1a")),
    "variable ansible_ keyword": _survey(_item(variable="ansible_host")),
    "empty variable": _survey(_item(variable="")),
    "empty question_name": _survey(_item(question_name="")),
    "unknown key": _survey(_item(zzz=1)),
    "desc null": _survey(_item(question_description=None)),
    "dup var": _survey(_item(), _item()),
}
# What is not named here is `Basis`: a template that AWX takes.
TEMPLATES: dict[str, dict[str, Any]] = {
    "ok": {},
    "no inventory": {"inventory": None},
    "no inventory + ask": {"inventory": None, "ask_inventory_on_launch": True},
    "no project": {"project": None},
    "no playbook": {"playbook": ""},
    "nonexistent playbook": {"playbook": "nope.yml"},
    "empty name": {"name": ""},
    "no name": {"name": _UNSET},
    "dup name": {"name": "there"},
    "name 512": {"name": "n" * 512},
    "name 513": {"name": "n" * 513},
    "job_type scan": {"job_type": "scan"},
    "job_type check": {"job_type": "check"},
    "verbosity 6": {"verbosity": 6},
    "verbosity str": {"verbosity": "2"},
    "forks -1": {"forks": -1},
    "job_slice_count 0": {"job_slice_count": 0},
    "extra_vars bad yaml": {"extra_vars": "{a: [}"},
    "extra_vars list": {"extra_vars": "[1]"},
    "extra_vars dict obj": {"extra_vars": {"a": 1}},
    "extra_vars jinja": {"extra_vars": '{"a": "{{ b }}"}'},
    "unknown field": {"zzz": 1},
    "organization given": {"organization": 1},
    "survey_enabled no spec": {"survey_enabled": True},
    "inventory by name": {"inventory": "lab"},
    "timeout -1": {"timeout": -1},
    "scm_branch": {"scm_branch": "main"},
    "ask_scm_branch": {"ask_scm_branch_on_launch": True},
    "become_enabled": {"become_enabled": True},
    "limit long": {"limit": "x" * 2000},
    "job_tags long 1025": {"job_tags": "x" * 1025},
    "labels in body": {"labels": [1]},
    "credentials in body": {"credentials": [1]},
    "webhook_service": {"webhook_service": "github"},
    "description null": {"description": None},
}
OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "P no org": ("projects", {"name": "a", "scm_type": "", "local_path": "x"}),
    "P same local_path": ("projects", {"name": "a", "scm_type": "", "local_path": "x", "organization": 1}),
    "P missing dir": ("projects", {"name": "a", "scm_type": "", "local_path": "none", "organization": 1}),
    "P git file": ("projects", {"name": "a", "scm_type": "git", "scm_url": "file:///x.git", "organization": 1}),
    "P git path": ("projects", {"name": "a", "scm_type": "git", "scm_url": "/x.git", "organization": 1}),
    "P git no url": ("projects", {"name": "a", "scm_type": "git", "organization": 1}),
    "P scm manual": ("projects", {"name": "a", "scm_type": "manual", "organization": 1}),
    "P archive": ("projects", {"name": "a", "scm_type": "archive", "scm_url": "https://x/a.zip", "organization": 1}),
    "I no org": ("inventories", {"name": "a"}),
    "I kind constructed": ("inventories", {"name": "a", "organization": 1, "kind": "constructed"}),
    "T no org": ("teams", {"name": "a"}),
    "U weak pw": ("users", {"username": "a", "name": "a", "password": "a"}),
    "U no pw": ("users", {"username": "a", "name": "a"}),
    "H dup": ("hosts", {"name": "h", "inventory": 1}),
    "H bad vars": ("hosts", {"name": "a", "inventory": 1, "variables": "{a"}),
    "G all": ("groups", {"name": "all", "inventory": 1}),
    "H comma": ("hosts", {"name": "a,b", "inventory": 1}),
    "H port": ("hosts", {"name": "a:22", "inventory": 1}),
}
# fmt: off
WHO = {
    "name": "n", "description": "d",
    "spec": [
        _item(variable="who", required=True, min=1, max=20),
        _item(variable="notes", type="textarea", default=""),
        _item(variable="secret", type="password", default="hush"),
        _item(variable="count", type="integer", required=True, min=0, max=10, default=2),
        _item(variable="ratio", type="float", min=0, max=1, default=0.5),
        _item(variable="mode", type="multiplechoice", required=True, choices=["check", "apply"], default="check"),
        _item(variable="parts", type="multiselect", choices=["a", "b", "c"], default="a\nb"),
    ],
}
# fmt: on
GOOD = {"who": "x", "count": 2, "mode": "check"}
LAUNCHES: dict[str, dict[str, Any]] = {
    "no vars": {},
    "ok": {"extra_vars": GOOD},
    "count str": {"extra_vars": {**GOOD, "count": "2"}},
    "count 11": {"extra_vars": {**GOOD, "count": 11}},
    "count float": {"extra_vars": {**GOOD, "count": 2.5}},
    "who too long": {"extra_vars": {**GOOD, "who": "x" * 21}},
    "who empty": {"extra_vars": {**GOOD, "who": ""}},
    "who int": {"extra_vars": {**GOOD, "who": 5}},
    "mode bad": {"extra_vars": {**GOOD, "mode": "nope"}},
    "parts str": {"extra_vars": {**GOOD, "parts": "a"}},
    "parts list": {"extra_vars": {**GOOD, "parts": ["a", "c"]}},
    "parts bad": {"extra_vars": {**GOOD, "parts": ["q"]}},
    "ratio str": {"extra_vars": {**GOOD, "ratio": "0.5"}},
    "ratio int": {"extra_vars": {**GOOD, "ratio": 1}},
    "ratio 2.5": {"extra_vars": {**GOOD, "ratio": 2.5}},
    "secret int": {"extra_vars": {**GOOD, "secret": 4}},
    "extra undeclared": {"extra_vars": {**GOOD, "zzz": 1}},
    "limit": {"extra_vars": GOOD, "limit": "a"},
    "tags not asked": {"extra_vars": GOOD, "job_tags": "x"},
    "extra_vars str json": {"extra_vars": json.dumps(GOOD)},
    "extra_vars yaml str": {"extra_vars": "who: y\ncount: 2\nmode: check\n"},
    "count null": {"extra_vars": {**GOOD, "count": None}},
}


def _berlin(rule: str) -> dict[str, Any]:
    return {"rrule": f"{BERLIN} RRULE:{rule}"}


def _daily(rest: str, start: str = UTC_START) -> dict[str, Any]:
    return {"rrule": f"{start} {RULE};{rest}"}


SCHEDULES: dict[str, dict[str, Any]] = {
    "utc": {},
    "newline sep": {"rrule": f"{UTC_START}\n{RULE}"},
    "no interval": {"rrule": f"{UTC_START} RRULE:FREQ=DAILY"},
    "no dtstart": {"rrule": RULE},
    "naive dtstart": {"rrule": f"DTSTART:20270101T020000 {RULE}"},
    "bad tz": {"rrule": f"DTSTART;TZID=Mars/Base:20270101T020000 {RULE}"},
    "tz + Z": {"rrule": f"{BERLIN}Z {RULE}"},
    "secondly": {"rrule": f"{UTC_START} RRULE:FREQ=SECONDLY;INTERVAL=30"},
    "minutely": {"rrule": f"{UTC_START} RRULE:FREQ=MINUTELY;INTERVAL=5"},
    "weekly byday": _berlin("FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,WE"),
    "BYDAY=1MO": _berlin("FREQ=MONTHLY;INTERVAL=1;BYDAY=1MO"),
    "monthly bysetpos": _berlin("FREQ=MONTHLY;INTERVAL=1;BYSETPOS=1;BYDAY=MO"),
    "bymonthday multi": _berlin("FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=1,15"),
    "bymonth multi": _berlin("FREQ=YEARLY;INTERVAL=1;BYMONTH=1,2"),
    "byyearday": _berlin("FREQ=YEARLY;INTERVAL=1;BYYEARDAY=10"),
    "byweekno": _berlin("FREQ=YEARLY;INTERVAL=1;BYWEEKNO=10"),
    "byhour/minute": _berlin("FREQ=DAILY;INTERVAL=1;BYHOUR=3;BYMINUTE=15"),
    "count 1000": _daily("COUNT=1000"),
    "count 999": _daily("COUNT=999"),
    "count+until": _daily("COUNT=3;UNTIL=20280101T000000Z"),
    "until Z with tz": _daily("UNTIL=20280101T000000Z", BERLIN),
    "until naive with tz": _daily("UNTIL=20280101T000000", BERLIN),
    "until date": _daily("UNTIL=20280101"),
    "past until": {"rrule": f"DTSTART:20200101T020000Z {RULE};UNTIL=20210101T000000Z"},
    "two rrules": {
        "rrule": f"{BERLIN} RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=MO RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=FR",
    },
    "exrule": {"rrule": f"{BERLIN} {RULE} EXRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=SU"},
    "exdate": {"rrule": f"{UTC_START} {RULE} EXDATE:20270102T020000Z"},
    "rdate": {"rrule": f"{UTC_START} {RULE} RDATE:20270102T020000Z"},
    "cron": {"rrule": "0 2 * * *"},
    "lowercase": {"rrule": f"{UTC_START} {RULE.lower()}"},
    "wkst": _berlin("FREQ=WEEKLY;INTERVAL=1;WKST=MO;BYDAY=MO"),
    "yearly easter": _berlin("FREQ=YEARLY;INTERVAL=1;BYEASTER=0"),
    "missing required survey var": {"extra_data": {}},
    "missing 1 required": {"extra_data": {"who": "x"}},
    "survey var invalid": {"extra_data": {**GOOD, "count": 200}},
    "undeclared var (ask_vars on)": {"extra_data": {**GOOD, "zzz": 1}},
    "prompt not allowed (job_tags)": {"job_tags": "x"},
    "limit ok": {"limit": "a"},
    "inventory not allowed": {"inventory": 1},
    "dup name": {"name": "there"},
    "no name": {"name": ""},
    "extra_data string json": {"extra_data": json.dumps(GOOD)},
}


class Probes:
    """The fake as it was set up for the probes."""

    def __init__(self, awx: FakeAwx) -> None:
        self.awx = awx
        awx.playbooks = ["site.yml"]
        awx.add("organizations", name="Default")
        self.project = awx.add("projects", name="p", organization=1, scm_type="git", scm_url="file:///p.git")["id"]
        awx.add("inventories", name="lab", organization=1)
        awx.add("hosts", name="h", inventory=1)
        self.template = self.make(name="there", ask_variables_on_launch=True, ask_limit_on_launch=True)["id"]

    def make(self, **body: Any) -> dict[str, Any]:
        return self.awx.add(
            "job_templates", **{"inventory": 1, "project": self.project, "playbook": "site.yml", **body}
        )

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return self.ask("POST", path, {key: value for key, value in body.items() if value is not _UNSET})

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        status, answer = self.awx.answer(method, self.awx.root + path, body)
        return httpx.Response(status, json=answer)

    def survey(self, survey: dict[str, Any]) -> httpx.Response:
        return self.post(f"job_templates/{self.template}/survey_spec/", survey)


@pytest.fixture
def probes() -> Iterator[Probes]:
    awx = FakeAwx()
    yield Probes(awx)
    assert not awx.unexpected


def _same(response: httpx.Response, recorded: str) -> None:
    status, text = int(recorded[:3]), recorded[4:]
    said = response.json()
    assert response.status_code == status, said
    if text.startswith("{"):
        expected = json.loads(text)
        if "id" in expected:
            assert said["type"] == expected["type"]
        else:
            assert said == expected


def test_each_probe_has_a_test() -> None:
    names = {f"S {name}" for name in SURVEYS} | {f"J {name}" for name in TEMPLATES} | {f"L {name}" for name in LAUNCHES}
    assert set(ANSWERS) == names | {f"R {name}" for name in SCHEDULES} | set(OTHERS)


@pytest.mark.parametrize("name", SURVEYS)
def test_survey(probes: Probes, name: str) -> None:
    if "existing" in name:
        assert probes.survey(SURVEYS["password default"]).status_code == 200
    _same(probes.survey(SURVEYS[name]), ANSWERS[f"S {name}"])


@pytest.mark.parametrize("name", TEMPLATES)
def test_job_template(probes: Probes, name: str) -> None:
    body = {"name": "new", "inventory": 1, "project": probes.project, "playbook": "site.yml", **TEMPLATES[name]}
    _same(probes.post("job_templates/", body), ANSWERS[f"J {name}"])


@pytest.mark.parametrize("name", OTHERS)
def test_other_objects(probes: Probes, name: str) -> None:
    collection, body = OTHERS[name]
    _same(probes.post(f"{collection}/", body), ANSWERS[name])


@pytest.mark.parametrize("name", LAUNCHES)
def test_launch(probes: Probes, name: str) -> None:
    assert probes.survey(WHO).status_code == 200
    probes.awx.template(probes.template)["survey_enabled"] = True
    response = probes.post(f"job_templates/{probes.template}/launch/", LAUNCHES[name])
    recorded = re.fullmatch(r"201 job \d+ extra_vars=(\{.*\}) ignored=(\{.*\})", ANSWERS[f"L {name}"])
    if recorded is None:
        _same(response, ANSWERS[f"L {name}"])
        return
    assert response.json()["extra_vars"] == json.loads(recorded[1])
    assert response.json()["ignored_fields"] == json.loads(recorded[2].replace("'", '"'))


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule(probes: Probes, name: str) -> None:
    assert probes.survey(WHO).status_code == 200
    probes.awx.template(probes.template)["survey_enabled"] = True
    basis = {"name": "new", "rrule": f"{UTC_START} {RULE}", "unified_job_template": probes.template, "extra_data": GOOD}
    if name == "dup name":
        assert probes.post("schedules/", {**basis, "name": "there"}).status_code == 201
    response = probes.post("schedules/", {**basis, **SCHEDULES[name]})
    found = re.fullmatch(r"201 next_run=(\S+) tz=(\S+) until='(.*)' dtend=(\S+) rrule='(.*)'", ANSWERS[f"R {name}"])
    if found is None:
        _same(response, ANSWERS[f"R {name}"])
        return
    said = response.json()
    assert [str(said[key]) for key in ("next_run", "timezone", "until", "dtend", "rrule")] == list(found.groups())


@pytest.mark.parametrize("collection", sorted(RECORDED))
def test_options_are_the_recorded_ones(probes: Probes, collection: str) -> None:
    recorded = json.loads((FIXTURES / f"options_{collection}.json").read_text(encoding="utf-8"))
    assert probes.ask("OPTIONS", f"{collection}/").json() == recorded


class TestLoudness:
    def test_a_request_that_was_not_recorded_fails(self, probes: Probes) -> None:
        for method, path in (("GET", "instances/"), ("PUT", "projects/1/"), ("GET", "projects/?nonsense=1")):
            assert probes.ask(method, path, {}).status_code == 599
        assert len(probes.awx.unexpected) == 3
        probes.awx.unexpected.clear()

    def test_nobody_gets_in_without_a_token(self) -> None:
        with awx_server() as awx:
            assert httpx.get(f"{awx.url}/api/v2/projects/").status_code == 401
            headers = {"Authorization": f"Bearer {TOKEN}"}
            assert httpx.get(f"{awx.url}/api/v2/projects/", headers=headers).json()["count"] == 0
