"""Objects as they are wanted, of whatever kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bedplate.awx.kinds import BY_NAME, Kind, Ref
from bedplate.awx.marks import marked, state_mark


@dataclass(frozen=True)
class Node:
    """One step of a workflow: a template, or an approval that waits up to `timeout` seconds (0: for ever)."""

    identifier: str
    template: str = ""
    timeout: int = 0

    @property
    def is_approval(self) -> bool:
        return not self.template


@dataclass(frozen=True)
class Wanted:
    """One object as it is wanted.

    Attributes:
        fields: values, with a Ref where AWX has an id; the kind's other fields are wanted at their defaults.
        summary: the description, without the mark.
        managed: False for an object that is made by somebody else and must be there.
        survey: as AWX takes it; None for none.
        labels, teams, nodes, notifications: what hangs on a template; teams and notifications by relation.
        secrets: fields that AWX never shows; they are sent when their digest is not the one in the mark.
        product: the product that it is for.
    """

    kind: Kind
    name: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    summary: str = ""
    managed: bool = True
    survey: Mapping[str, Any] | None = None
    labels: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    teams: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notifications: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    nodes: tuple[Node, ...] = ()
    secrets: Mapping[str, Any] = field(default_factory=dict, repr=False)
    secret_state: str = ""
    product: str | None = None

    @property
    def ref(self) -> Ref:
        return Ref(self.kind.name, self.name)

    @property
    def state(self) -> str:
        """What stands in the mark for all that is wanted of it."""
        hanging = [self.survey, self.labels, self.credentials, self.teams, self.notifications, self.secret_state]
        nodes = [(node.identifier, node.template, node.timeout) for node in self.nodes]
        return state_mark(self.kind.name, self.name, [self.summary, self.full_fields, *hanging, nodes])

    @property
    def description(self) -> str:
        return marked(self.summary, self.state, self.secret_state)

    @property
    def full_fields(self) -> dict[str, Any]:
        return {**self.kind.defaults, **self.fields}

    def references(self) -> list[Ref]:
        """The objects without which this one cannot be made."""
        refs = [value for value in self.fields.values() if isinstance(value, Ref)]
        refs += [Ref("label", name) for name in self.labels]
        refs += [Ref("credential", name) for name in self.credentials]
        return refs + [Ref("job_template", node.template) for node in self.nodes if node.template]


def wanted(kind: str, name: str, **values: Any) -> Wanted:  # noqa: ANN401
    """Return a wanted object of the kind of this name."""
    return Wanted(BY_NAME[kind], name, **values)
