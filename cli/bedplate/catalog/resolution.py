"""From what somebody typed to the values that a run gets."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from bedplate.catalog.parameter import Parameter
from bedplate.catalog.product import Product
from bedplate.catalog.rules import UnfitValueError, convert, show
from bedplate.errors import ParameterError

_NOT_IN_GROUP_NAMES = re.compile(r"[^A-Za-z0-9_]")


@dataclass(frozen=True)
class FleetNames:
    """The names of an inventory that parameters may be checked against.

    Attributes:
        hosts: names of hosts.
        groups: names of groups, among them `site_…` and `tenant_…`.
        answers: parameter name → what its command accepts.

    What is None is not known, and nothing is checked against it.
    """

    hosts: Collection[str] | None = None
    groups: Collection[str] | None = None
    answers: Mapping[str, Collection[str]] = field(default_factory=dict)

    def known(self, parameter: Parameter) -> Collection[str] | None:
        """Return the answers that a parameter takes; None where nobody knows."""
        source = parameter.source
        if source == "command":
            return self.answers.get(parameter.name)
        if source == "hosts":
            return self.hosts
        if source is None or self.groups is None:
            return None
        prefix = _prefix(source)
        return [group.removeprefix(prefix) for group in self.groups if group.startswith(prefix)]


def _prefix(source: str) -> str:
    return {"sites": "site_", "tenants": "tenant_"}.get(source, "")


@dataclass(frozen=True)
class ResolvedParameters:
    """The values of a run: canonical, with defaults.

    Attributes:
        values: parameter name → value (JSON types; durations and dates as canonical text).
        secret_names: the names whose values must be kept out of everything.
    """

    values: dict[str, Any] = field(repr=False)
    secret_names: frozenset[str]


def resolve_parameters(
    product: Product, given: Mapping[str, Any], fleet: FleetNames | None = None
) -> ResolvedParameters:
    """Check what was given for a product and add defaults.

    Args:
        product: whose parameters.
        given: parameter name → typed text, or a value of JSON or YAML.
        fleet: the inventory's names, for parameters that name hosts, groups, sites or tenants; unchecked without.

    Raises:
        ParameterError: all that is wrong, one sentence a line. Values of secrets are never in it.
    """
    values: dict[str, Any] = {}
    faults = list(_unknown(product, given))
    for parameter in product.parameters:
        try:
            values.update(_resolve(parameter, given, values, fleet))
        except UnfitValueError as unfit:
            faults.append(f"parameter {parameter.name} {unfit}")
    if faults:
        raise ParameterError("\n".join(faults))
    return ResolvedParameters(values, product.secret_names.intersection(values))


def _resolve(
    parameter: Parameter, given: Mapping[str, Any], values: Mapping[str, Any], fleet: FleetNames | None
) -> dict[str, Any]:
    asked = _is_asked(parameter, values)
    # Forms such as AWX's send an empty answer to a question that is not to be answered: it is none.
    if parameter.name in given and (asked or given[parameter.name] not in ("", [])):
        if not asked:
            raise UnfitValueError(f"only applies when {_condition(parameter)}; leave it out")
        value = convert(parameter, given[parameter.name])
        _check_fleet(parameter, value, fleet)
        return {parameter.name: value}
    if not asked:
        return {}
    if parameter.required:
        raise UnfitValueError("is required")
    return {} if parameter.default is None else {parameter.name: convert(parameter, parameter.default)}


def _is_asked(parameter: Parameter, values: Mapping[str, Any]) -> bool:
    return all(name in values and _same(values[name], answer) for name, answer in (parameter.when or {}).items())


def _same(value: Any, answer: Any) -> bool:  # noqa: ANN401
    return isinstance(value, bool) == isinstance(answer, bool) and bool(value == answer)


def _condition(parameter: Parameter) -> str:
    return " and ".join(f"{name} is {show(answer)}" for name, answer in (parameter.when or {}).items())


def _check_fleet(parameter: Parameter, value: Any, fleet: FleetNames | None) -> None:  # noqa: ANN401
    known = fleet.known(parameter) if fleet is not None else None
    if known is None:
        return
    in_groups = bool(_prefix(parameter.source or ""))
    for name in value if isinstance(value, list) else [value]:
        # Slugs are compared as they stand in group names.
        if (_NOT_IN_GROUP_NAMES.sub("_", name) if in_groups else name) not in known:
            near = get_close_matches(name, list(known), n=1)
            tail = f"; did you mean {near[0]}?" if near else ""
            raise UnfitValueError(f"must be one of {_place(parameter)}", f"{show(name)}{tail}")


def _place(parameter: Parameter) -> str:
    command = parameter.choices_command
    return f"what {command[0]} says" if command else f"the inventory's {parameter.source}"


def _unknown(product: Product, given: Mapping[str, Any]) -> Iterator[str]:
    names = [parameter.name for parameter in product.parameters]
    for name in given:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            known = f"known are {', '.join(names)}" if names else f"{product.name} has none"
            yield f"there is no parameter {show(name)}; " + (f"did you mean {near[0]}?" if near else known)
