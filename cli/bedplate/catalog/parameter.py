"""Parameters: the typed questions that a product asks."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from bedplate.catalog.model import Fault, ManifestModel, OneLine, raise_faults
from bedplate.catalog.rules import UnfitValueError, bound, convert, show

ParameterType = Literal[
    "string", "text", "secret", "integer", "number", "boolean", "choice", "choices", "host", "group", "duration", "date"
]
FleetSource = Literal["hosts", "groups", "sites", "tenants", "command"]

_LENGTHS = frozenset({"string", "text", "secret", "choices"})
_BOUNDED = _LENGTHS | {"integer", "number", "duration", "date"}
_PATTERNED = frozenset({"string", "text", "secret", "host", "group"})
_HIDEABLE = frozenset({"string", "text", "secret"})
_RESERVED_PREFIXES = ("ansible_", "bedplate_")
# Names that mean something to a play, a task or a template, in any ansible-core from 2.15 on.
# fmt: off
RESERVED_NAMES = frozenset(
    {
        "action", "always", "any_errors_fatal", "args", "async", "async_val", "become", "become_exe",
        "become_flags", "become_method", "become_user", "block", "changed_when", "check_mode", "collections",
        "connection", "cycler", "debugger", "delay", "delegate_facts", "delegate_to", "dict", "diff",
        "environment", "fact_path", "failed_when", "force_handlers", "gather_facts", "gather_subset",
        "gather_timeout", "group_names", "groups", "handlers", "hosts", "hostvars", "ignore_errors",
        "ignore_unreachable", "inventory_dir", "inventory_file", "inventory_hostname",
        "inventory_hostname_short", "item", "joiner", "lipsum", "local_action", "lookup", "loop",
        "loop_control", "loop_with", "max_fail_percentage", "module_defaults", "name", "namespace", "no_log",
        "notify", "now", "omit", "order", "play_hosts", "playbook_dir", "poll", "port", "post_tasks",
        "pre_tasks", "q", "query", "range", "register", "remote_user", "rescue", "retries", "role_name",
        "role_names", "role_path", "roles", "run_once", "serial", "strategy", "tags", "tasks", "throttle",
        "timeout", "undef", "until", "vars", "vars_files", "vars_prompt", "when",
    }
)
# fmt: on


class Parameter(ManifestModel):
    """A typed question; its answer reaches the playbook as the variable of the same name."""

    name: Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$", examples=["reboot_timeout"])] = Field(
        description="The variable that the playbook reads: small letters, digits and underscores."
    )
    type: ParameterType = Field(
        default="string",
        description="What kind of answer it takes. `string` is one line, `text` may have many, `choices` is a list.",
    )
    title: OneLine = Field(description="The question as a form shows it.", examples=["Time to wait for a reboot"])
    help: StrictStr | None = Field(default=None, description="What the answer changes, for those who have to decide.")
    required: StrictBool = Field(default=False, description="Whether a run without an answer is refused.")
    default: StrictBool | StrictInt | StrictFloat | StrictStr | list[StrictStr] | None = Field(
        default=None, description="The answer when none is given. A required or secret parameter has none."
    )
    choices: Annotated[list[StrictStr], Field(min_length=1)] | None = Field(
        default=None, description="The answers that are accepted, for `choice` and `choices`."
    )
    choices_from: FleetSource | None = Field(
        default=None,
        description="Take the accepted answers of a `choice` or `choices` from the inventory, or from a command.",
    )
    choices_command: Annotated[list[OneLine], Field(min_length=1)] | None = Field(
        default=None,
        description="A program and its arguments, run on the control node without a shell; each line that it prints is "
        "an accepted answer. A program with a slash in it is found from the repository's root.",
        examples=[["tools/versions", "--stable"]],
    )
    min: StrictInt | StrictFloat | StrictStr | None = Field(
        default=None,
        description="The least value; for text the least number of characters, for `choices` of answers.",
    )
    max: StrictInt | StrictFloat | StrictStr | None = Field(
        default=None,
        description="The greatest value; for text the greatest number of characters, for `choices` of answers.",
    )
    pattern: StrictStr | None = Field(
        default=None,
        description="A regular expression (Python's) that the whole answer must match.",
        examples=["[a-z0-9-]+"],
    )
    secret: StrictBool = Field(default=False, description="Keep the answer out of records, logs and output.")
    when: Annotated[dict[StrictStr, StrictBool | StrictInt | StrictStr], Field(min_length=1)] | None = Field(
        default=None,
        description="Ask only if these parameters, defined further up, have these answers.",
        examples=[{"reboot": True}],
    )

    @property
    def is_secret(self) -> bool:
        return self.secret or self.type == "secret"

    @property
    def source(self) -> FleetSource | None:
        """What of the inventory the answer must be in, where it is known."""
        return {"host": "hosts", "group": "groups"}.get(self.type) or self.choices_from  # type: ignore[return-value]

    @model_validator(mode="after")
    def _check(self) -> Parameter:
        shape = [*_name_faults(self.name), *self._shape_faults(), *self._secret_faults()]
        raise_faults(shape)
        raise_faults(self._bound_faults())
        raise_faults(self._default_faults())  # by bounds that are right
        return self

    def _shape_faults(self) -> Iterator[Fault]:
        choosing = self.type in {"choice", "choices"}
        if choosing and (self.choices is None) == (self.choices_from is None):
            yield Fault(("type",), f"a {self.type} needs either choices or choices_from")
        if not choosing and self.choices is not None:
            yield Fault(("choices",), f"only choice and choices have choices, not {self.type}")
        if not choosing and self.choices_from is not None:
            yield Fault(("choices_from",), f"only choice and choices take answers from the fleet, not {self.type}")
        if (self.choices_from == "command") != (self.choices_command is not None):
            yield Fault(("choices_from",), "choices_from: command and choices_command go together")
        if self.pattern is not None:
            yield from self._pattern_faults(self.pattern)
        yield from self._choice_faults()
        for key in ("min", "max"):
            if getattr(self, key) is not None and self.type not in _BOUNDED:
                yield Fault((key,), f"the type {self.type} has no {key}")

    def _pattern_faults(self, pattern: str) -> Iterator[Fault]:
        if self.type not in _PATTERNED:
            yield Fault(("pattern",), f"the type {self.type} has no pattern")
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            yield Fault(("pattern",), f"is not a regular expression: {error}")

    def _choice_faults(self) -> Iterator[Fault]:
        for index, choice in enumerate(self.choices or ()):
            if choice in (self.choices or ())[:index]:
                yield Fault(("choices", index), f"{choice!r} is there twice")
            if not choice.strip() or choice != choice.strip() or not _is_line(choice):
                yield Fault(("choices", index), "must be one line of text without space around it")
            elif self.type == "choices" and "," in choice:
                yield Fault(("choices", index), "must have no comma, since commas separate the answers")

    def _secret_faults(self) -> Iterator[Fault]:
        if self.type == "secret" and not self.secret and "secret" in self.model_fields_set:
            yield Fault(("secret",), "must be true or left out for the type secret")
        if self.secret and self.type not in _HIDEABLE:
            yield Fault(("secret",), f"only string, text and secret can be kept secret, not {self.type}")
        if self.is_secret and self.default is not None:
            yield Fault(("default",), "a secret has no default, for it would stand here for all to read")
        if self.required and self.default is not None:
            yield Fault(("default",), "a required parameter has no default")

    def _bound_faults(self) -> Iterator[Fault]:
        faults = [fault for key in ("min", "max") for fault in self._one_bound_faults(key)]
        yield from faults
        if faults or self.min is None or self.max is None:
            return
        if bound(self.type, self.min) > bound(self.type, self.max):
            yield Fault(("max",), f"must not be under min, which is {self.min}")

    def _one_bound_faults(self, key: str) -> Iterator[Fault]:
        limit = getattr(self, key)
        if limit is None:
            return
        if self.type in _LENGTHS:
            if not isinstance(limit, int) or limit < 0:
                yield Fault((key,), f"must be a number of {'answers' if self.type == 'choices' else 'characters'}")
            return
        bare = Parameter.model_construct(name=self.name, type=self.type, title=self.title)
        try:
            if isinstance(limit, str) == (self.type in {"integer", "number"}):
                raise UnfitValueError(f"must be {_article(self.type)}", show(limit))
            convert(bare, limit)
        except UnfitValueError as unfit:
            yield Fault((key,), str(unfit))

    def _default_faults(self) -> Iterator[Fault]:
        if self.default is None:
            return
        try:
            if isinstance(self.default, str) and self.type in {"integer", "number", "boolean", "choices"}:
                raise UnfitValueError(f"must be {_article(self.type)}", show(self.default))
            convert(self, self.default)
        except UnfitValueError as unfit:
            yield Fault(("default",), str(unfit))


def _is_line(text: str) -> bool:
    try:
        convert(Parameter.model_construct(name="line", title="", type="string"), text)
    except UnfitValueError:
        return False
    return True


def _article(kind: str) -> str:
    words = {"integer": "an integer", "boolean": "true or false", "choices": "a list"}
    return words.get(kind, f"a {kind}")


def _name_faults(name: str) -> Iterator[Fault]:
    if name in RESERVED_NAMES or keyword.iskeyword(name):
        yield Fault(("name",), f"{name} means something else to Ansible; choose another name")
    for prefix in _RESERVED_PREFIXES:
        if name.startswith(prefix):
            yield Fault(("name",), f"names that start with {prefix} are reserved")
