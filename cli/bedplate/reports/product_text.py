"""What a product is, in words: the same on a terminal, in Markdown and on its page."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bedplate.catalog import Parameter, Product
from bedplate.catalog.durations import format_duration
from bedplate.catalog.rules import show

_EXAMPLES = {
    "integer": "1",
    "number": "1.5",
    "boolean": "true",
    "host": "fra1-colo-01",
    "group": "site_fra1",
    "duration": "30m",
    "date": "2026-03-31",
}
_PER = {"run": "run", "host": "host", "host_hour": "host and hour"}


def order_example(product: Product) -> str:
    """Return a command line that orders the product, with all that it requires."""
    words = ["bedplate", "run", product.name]
    for parameter in product.parameters:
        if parameter.required and not parameter.when:
            words += ["-p", f"{parameter.name}={_example(parameter)}"]
    return shlex.join([*words, "--check"])


def _example(parameter: Parameter) -> str:
    if parameter.choices:
        return parameter.choices[0]
    if parameter.min is not None and parameter.type in {"integer", "number", "duration", "date"}:
        return str(parameter.min)
    return _EXAMPLES.get(parameter.type, parameter.name.upper())


def fact_rows(product: Product) -> Iterator[tuple[str, str]]:
    """Yield what there is to know of a product: a name and a text each."""
    owner, lifecycle, targets = product.owner, product.lifecycle, product.targets
    yield "Owner", f"{owner.team} ({owner.contact})"
    if owner.escalation:
        yield "Escalation", owner.escalation
    yield "Stage", _stage(product)
    if lifecycle.replaced_by:
        yield "Replaced by", lifecycle.replaced_by
    if product.sla:
        yield "Support", f"{product.sla.support_hours}, answers within {format_duration(product.sla.response)}"
    if product.cost:
        yield "Cost", f"{product.cost.amount:g} {product.cost.currency} per {_PER[product.cost.per]}"
    yield "Hosts", ", ".join(each.value for each in targets.classes) if targets.classes else "all classes"
    limits = [
        f"at most {targets.max_hosts} hosts" if targets.max_hosts else "",
        f"at most {targets.max_percent:g} % of the fleet" if targets.max_percent else "",
        f"only {targets.force_limit}" if targets.force_limit else "",
        f"{targets.default_limit} unless asked otherwise" if targets.default_limit else "",
    ]
    if any(limits):
        yield "Limits", ", ".join(limit for limit in limits if limit)
    rules = list(_rules(product))
    if rules:
        yield "Guardrails", "; ".join(rules)
    yield "Run again", "safe after an interruption" if product.idempotent else "look at the hosts first"
    yield from (("Docs", text) for text in [product.docs] if text)
    yield from (("Tags", ", ".join(tags)) for tags in [product.tags] if tags)


def _rules(product: Product) -> Iterator[str]:
    """Yield what limits a run besides its hosts, each in a few words."""
    rules, access = product.guardrails, product.access
    if access.run:
        yield f"run by {' or '.join(access.run)}"
    if rules.approval:
        by = f" of {' or '.join(access.approve)}" if access.approve else ""
        yield f"{rules.approval.approvers} other{'s' if rules.approval.approvers > 1 else ''}{by} must agree"
    if rules.dry_run_first:
        yield f"a check of the same within {format_duration(rules.dry_run_first)} before"
    if rules.freeze:
        yield f"not while {' or '.join(rules.freeze)} is frozen"
    if rules.window:
        yield "only within maintenance windows"
    if rules.concurrency:
        yield f"at most {rules.concurrency} at once"
    yield from _batch_rules(product)


def _batch_rules(product: Product) -> Iterator[str]:
    rules = product.guardrails
    if rules.canary:
        yield f"{rules.canary} host{'s' if rules.canary > 1 else ''} first, alone"
    if rules.serial_by:
        yield f"one {rules.serial_by} at a time"
    if rules.max_fail_percent is not None:
        yield f"stops when more than {rules.max_fail_percent:g} % of a batch fail"


def _stage(product: Product) -> str:
    lifecycle = product.lifecycle
    since = f" since {lifecycle.since}" if lifecycle.since else ""
    sunset = f", until {lifecycle.sunset}" if lifecycle.sunset else ""
    return f"{lifecycle.stage.value}{since}{sunset}"


def promise_lists(product: Product) -> Iterator[tuple[str, list[str]]]:
    """Yield the objectives and the roadmap: a heading and its lines."""
    if product.slo:
        names = {"success_ratio": "success ratio", "duration_p95": "duration p95", "lead_time_p95": "lead time p95"}
        yield (
            "Service level objectives",
            [f"{names[slo.objective]} {slo.target} over {format_duration(slo.window)}" for slo in product.slo],
        )
    if product.roadmap:
        yield "Roadmap", [f"{step.when}  {step.what} ({step.status.replace('_', ' ')})" for step in product.roadmap]


def default_text(parameter: Parameter) -> str:
    """Return the default of a parameter, or that it is required."""
    if parameter.required:
        return "required"
    if isinstance(parameter.default, list):
        return ",".join(parameter.default)
    if isinstance(parameter.default, str):
        return parameter.default
    return "" if parameter.default is None else show(parameter.default)


def explanation(parameter: Parameter) -> Iterator[str]:
    """Yield what a parameter means and takes, a line each."""
    yield parameter.title
    if parameter.help:
        yield parameter.help.strip()
    if parameter.choices:
        yield f"one of {', '.join(parameter.choices)}" if parameter.type == "choice" else ", ".join(parameter.choices)
    if parameter.choices_command:
        yield f"one of what {shlex.join(parameter.choices_command)} says"
    elif parameter.choices_from:
        yield f"out of the inventory's {parameter.choices_from}"
    ends = (("from", parameter.min), ("to", parameter.max))
    if any(end is not None for _, end in ends):
        unit = " characters" if parameter.type in {"string", "text", "secret"} else ""
        yield " ".join(f"{word} {end}" for word, end in ends if end is not None) + unit
    if parameter.pattern:
        yield f"like {parameter.pattern}"
    if parameter.when:
        yield "if " + " and ".join(f"{name} is {show(answer)}" for name, answer in parameter.when.items())
