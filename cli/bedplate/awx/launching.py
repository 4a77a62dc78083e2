"""Launching a product's job template: its form answered, its limit and mode said, nothing of it ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bedplate.awx.client import AwxClient
from bedplate.awx.comparison import Found
from bedplate.awx.faults import AwxError
from bedplate.awx.kinds import BY_NAME
from bedplate.errors import EngineError

_APPLY = "bedplate awx apply brings AWX to what the catalog wants"
_PROMPTS = ("limit", "job_type", "diff_mode")


@dataclass(frozen=True)
class Launch:
    """What AWX is to launch.

    Attributes:
        answers: the product's parameters, by name.
        limit: a pattern of AWX's inventory.
        check: change nothing.
        diff: show what changes in files.
    """

    product: str
    answers: Mapping[str, Any] = field(repr=False)
    limit: str
    check: bool
    diff: bool

    @property
    def prompts(self) -> dict[str, Any]:
        return {"limit": self.limit, "job_type": "check" if self.check else "run", "diff_mode": self.diff}


def launch(client: AwxClient, organization: str, order: Launch) -> Iterator[int]:
    """Launch a job and yield its number.

    Where the connection is lost in this moment, nobody knows whether AWX did it: then the numbers of all jobs are
    yielded that may be it, and the caller takes the first that is nobody else's.

    Raises:
        EngineError: AWX has no such template of ours, its form or prompts are not the catalog's, or AWX refuses.
    """
    template = _template(client, organization, order.product)
    path = f"job_templates/{template['id']}/"
    survey = client.get(f"{path}survey_spec/") if template["survey_enabled"] else {}
    body = {**_prompted(template, order), "extra_vars": _answered(survey, order)}
    newest = next(iter(_newest(client, template["id"])), 0)
    try:
        answer = client.create(f"{path}launch/", body)
    except EngineError as fault:
        if isinstance(fault, AwxError) and fault.status < 500:
            raise _with_hint(fault) from fault
        yield from _launched_since(client, template["id"], newest, order)
        raise _unknown(fault, order.product) from fault
    _check_ignored(client, answer, order)
    yield int(answer["job"])


def _template(client: AwxClient, organization: str, product: str) -> dict[str, Any]:
    kind = BY_NAME["job_template"]
    for entry in client.pages("job_templates/", name=product, organization__name=organization):
        if Found(kind, entry["id"], entry["name"], entry).is_ours:
            return entry
        raise EngineError(f"AWX's job template {product} is not Bedplate's", where=client.root, hint="rename it there")
    message = f"AWX has no job template {product} in the organization {organization}"
    raise EngineError(message, where=client.root, hint=_APPLY)


def _prompted(template: Mapping[str, Any], order: Launch) -> dict[str, Any]:
    """What a launch has to say. A prompt that the template does not allow would be ignored by AWX without a word."""
    body = {}
    for name in _PROMPTS:
        if template[f"ask_{name}_on_launch"]:
            body[name] = order.prompts[name]
        elif template[name] != order.prompts[name]:
            message = f"AWX's job template {order.product} lets no launch say its {name}, which is {template[name]!r}"
            raise EngineError(message, hint=_APPLY)
    return body


def _answered(survey: Mapping[str, Any], order: Launch) -> dict[str, Any]:
    questions = {item["variable"]: item for item in survey.get("spec", [])}
    unasked = [name for name in order.answers if name not in questions]
    if unasked:
        raise EngineError(f"AWX's form of {order.product} does not ask for {unasked[0]}", hint=_APPLY)
    answers = {name: _typed(questions[name]["type"], value) for name, value in order.answers.items()}
    # An empty answer is no choice: AWX takes the question for one that was left out.
    return {name: value for name, value in answers.items() if value != "" or "multi" not in questions[name]["type"]}


def _typed(kind: str, value: Any) -> Any:  # noqa: ANN401
    """An answer in the type that AWX takes for a question: it takes no other."""
    if kind == "multiselect":
        return [str(each) for each in (value if isinstance(value, list) else [value])]
    if kind in {"integer", "float"}:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)


def _check_ignored(client: AwxClient, answer: Mapping[str, Any], order: Launch) -> None:
    """End a job at once of which AWX ignored something: somebody changed the template in this moment."""
    ignored = answer.get("ignored_fields")
    if ignored:
        client.put(f"jobs/{answer['job']}/cancel/", {})
        names = ", ".join(ignored)
        message = f"AWX ignored {names} of the launch of {order.product}, so its job {answer['job']} was canceled"
        raise EngineError(message, hint=_APPLY)


def _newest(client: AwxClient, template: int) -> Iterator[int]:
    page = client.get("jobs/", job_template=template, order_by="-id", page_size=1)
    for entry in page.get("results", []):
        yield int(entry["id"])


def _launched_since(client: AwxClient, template: int, newest: int, order: Launch) -> Iterator[int]:
    """The jobs that may be the one whose launch was not answered."""
    for entry in client.pages("jobs/", job_template=template, id__gt=newest, launch_type="manual"):
        if all(entry[name] == order.prompts[name] for name in _PROMPTS):
            yield int(entry["id"])


def _with_hint(fault: AwxError) -> AwxError:
    hint = _APPLY if fault.status in {400, 404} else fault.hint
    return AwxError(fault.message, fault.status, where=fault.where, hint=hint)


def _unknown(fault: EngineError, product: str) -> EngineError:
    hint = "if it did, bedplate awx sync brings the run in"
    return EngineError(f"{fault.message}; nobody knows whether AWX launched {product}", where=fault.where, hint=hint)
