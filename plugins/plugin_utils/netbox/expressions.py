"""What an expression of compose, groups or keyed_groups reads, and its result where plain Jinja suffices.

Ansible compiles an expression anew for each host and wraps all that it touches. Here an expression is parsed once. What
it reads is a list of paths such as `bedplate_custom_fields.rack_unit`: hosts that are alike in them have the same
result. A small part of the language is evaluated by plain Jinja, on plain data, and whatever is beyond that part
(`BeyondError`) is Ansible's own to evaluate.
"""

from __future__ import annotations

import re
from operator import itemgetter
from typing import Any, Callable, Iterator, List, Mapping, NamedTuple, Optional, Tuple, Union

from ansible.errors import AnsibleError
from ansible.plugins.filter.core import regex_replace, regex_search, ternary
from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.environment import TemplateExpression
from jinja2.exceptions import TemplateError
from jinja2.parser import Parser

from .expression_words import (
    FLEET_WIDE,
    GUARDS,
    LOOKUPS,
    PLAIN_FILTERS,
    PLAIN_LOOKUPS,
    PLAIN_METHODS,
    PLAIN_TESTS,
    SURE_FILTERS,
    SURE_METHODS,
    SURE_TESTS,
)
from .trust import TEMPLATES_ARE_MARKED, AnsibleUnsafeText, is_marked_unsafe, may_be_template

Json = Any  # what a JSON document holds
Path = Tuple[Union[str, int], ...]

MISSING = object()

_PLAIN_NODES = (nodes.And, nodes.Compare, nodes.Concat, nodes.CondExpr, nodes.Const, nodes.List, nodes.Name,
                nodes.Not, nodes.Operand, nodes.Or, nodes.Slice)  # fmt: skip
_METHODS_OF_DATA = frozenset(name for kind in (str, int, float, dict, list) for name in dir(kind))
_SCALARS = frozenset((str, int, bool, type(None)))
_RESULTS = _SCALARS | {float, list, dict, AnsibleUnsafeText}
_FAULTS_OF_DATA = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError)


class BeyondError(Exception):
    """This is not for plain Jinja to say, or not to be known by what was read."""


class Reading(NamedTuple):
    """What an expression reads of one host.

    Attributes:
        values: one a path, MISSING where there is nothing.
        key: equal for hosts for which the expression has the same result.
        is_unsafe: before ansible-core 2.19: a text in it is marked as unsafe, so the result is.
    """

    values: List[Json]
    key: Tuple[Any, ...]
    is_unsafe: bool


class Expression:
    """One expression, parsed once.

    Args:
        text: as in the inventory file.
        is_condition: it is an entry of groups. Elsewhere, before ansible-core 2.19, a backslash stands for itself.

    Attributes:
        paths: what it reads; None if its result depends on more than that.
        is_fleet_wide: it may read which groups the host has, or look variables up.
    """

    def __init__(self, text: object, is_condition: bool = False) -> None:
        node = _parsed(text, is_condition)
        self.paths: Optional[List[Path]] = None
        self.is_fleet_wide = node is None or _reads_fleet(node)
        self._straight: Optional[Callable[..., Any]] = None
        self._needed: List[int] = []
        if node is None or self.is_fleet_wide or not _is_sure(node):
            return
        paths: List[Path] = []
        node = _with_paths_as_names(node, paths)
        self.paths = paths
        if isinstance(node, nodes.Name):
            self._straight = itemgetter(node.name)
        elif _is_plain(node):
            self._straight = _compiled(node)
        if self._straight:
            self._needed = sorted(set(_unguarded(node)))

    def read(self, variables: Mapping[str, Any]) -> Reading:
        """Return what the expression reads. Raises BeyondError if that does not say what its result is."""
        if self.paths is None:
            raise BeyondError
        values, keys = [], []
        is_unsafe = False
        for path in self.paths:
            value, key = _value_at(variables, path)
            values.append(value)
            keys.append(key)
            if not TEMPLATES_ARE_MARKED:
                is_unsafe = is_unsafe or is_marked_unsafe(variables.get(path[0]))
        return Reading(values, (is_unsafe, *keys), is_unsafe)

    def evaluate(self, reading: Reading) -> Json:
        """Return the result, by plain Jinja unless it is what was read. Raises BeyondError if only Ansible can tell."""
        values = reading.values
        if self._straight is None or any(values[index] is MISSING for index in self._needed):
            raise BeyondError
        named = {"_%d" % index: value for index, value in enumerate(values) if value is not MISSING}
        try:
            result = self._straight(named)
        except (AnsibleError, TemplateError, re.error, *_FAULTS_OF_DATA) as error:
            raise BeyondError from error
        if result.__class__ not in _RESULTS:
            raise BeyondError
        return result


def _parsed(text: object, is_condition: bool) -> Optional[nodes.Expr]:
    """Return the expression's tree, or None if it is none by itself."""
    if not isinstance(text, str) or "{{" in text or "{%" in text or "{#" in text:
        return None
    source = str.__str__(text).strip()
    if not (is_condition or TEMPLATES_ARE_MARKED):
        source = source.replace("\\", "\\\\")
    try:
        parser = Parser(_ENVIRONMENT, source, state="variable")
        node = parser.parse_expression()
        whole = parser.stream.eos
    except TemplateSyntaxError:
        return None
    return node if whole else None


def _reads_fleet(node: nodes.Node) -> bool:
    """Return whether a name is read that stands for more than one host's variables."""
    if isinstance(node, nodes.Name):
        return node.name in FLEET_WIDE or node.name in LOOKUPS
    children = list(node.iter_child_nodes())
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in LOOKUPS:
        which = node.args[0] if node.args else None
        if isinstance(which, nodes.Const) and which.value in PLAIN_LOOKUPS:
            children.remove(node.node)
    return any(map(_reads_fleet, children))


def _is_sure(node: nodes.Node) -> bool:
    """Return whether the result depends on nothing but the variables that are named."""
    children = list(node.iter_child_nodes())
    if isinstance(node, nodes.Call):
        callee = node.node
        if not (isinstance(callee, nodes.Getattr) and callee.attr in SURE_METHODS):
            return False
        children = [callee.node, *(child for child in children if child is not callee)]
    elif isinstance(node, (nodes.Filter, nodes.Test)):
        sure = SURE_FILTERS if isinstance(node, nodes.Filter) else SURE_TESTS
        if node.name.rpartition("ansible.builtin.")[2] not in sure:
            return False
    elif (isinstance(node, nodes.Name) and node.name in _GLOBALS) or (
        isinstance(node, nodes.Getattr) and node.attr in _METHODS_OF_DATA
    ):
        return False
    return all(map(_is_sure, children))


def _is_plain(node: nodes.Node) -> bool:
    """Return whether plain Jinja has the same result as Ansible, on plain data."""
    if isinstance(node, nodes.Call):
        callee = node.node
        if not (isinstance(callee, nodes.Getattr) and callee.attr in PLAIN_METHODS):
            return False
        return all(_is_plain(child) for child in (callee.node, *node.args)) and not (
            node.kwargs or node.dyn_args or node.dyn_kwargs
        )
    if isinstance(node, nodes.Getitem):
        return isinstance(node.arg, (nodes.Const, nodes.Slice)) and _is_plain(node.node) and _is_plain(node.arg)
    if isinstance(node, nodes.Const):
        return not (isinstance(node.value, str) and ("{" in node.value or "#" in node.value))
    known = (isinstance(node, nodes.Filter) and node.name in PLAIN_FILTERS) or (
        isinstance(node, nodes.Test) and node.name in PLAIN_TESTS
    )
    if not known and not isinstance(node, (*_PLAIN_NODES, nodes.Keyword)):
        return False
    return all(_is_plain(child) for child in node.iter_child_nodes())


def _unguarded(node: nodes.Node, is_guarded: bool = False) -> Iterator[int]:
    """Yield which paths must be there: what a default or a test for being defined looks at need not."""
    if isinstance(node, nodes.Name):
        if not is_guarded:
            yield int(node.name[1:])
        return
    guards = isinstance(node, (nodes.Filter, nodes.Test)) and node.name in GUARDS
    for field, value in node.iter_fields():
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, nodes.Node):
                yield from _unguarded(child, guards and field == "node")


def _with_paths_as_names(node: Any, paths: List[Path]) -> Any:  # noqa: ANN401 (trees of every kind)
    """Return the tree with each path that it reads replaced by a name: `_0` for the first one."""
    path = _path_of(node)
    if path is not None:
        if path not in paths:
            paths.append(path)
        return nodes.Name("_%d" % paths.index(path), "load", lineno=node.lineno)
    for field, value in list(node.iter_fields()):
        if isinstance(value, nodes.Node):
            setattr(node, field, _with_paths_as_names(value, paths))
        elif isinstance(value, list):
            setattr(node, field, [
                _with_paths_as_names(one, paths) if isinstance(one, nodes.Node) else one for one in value
            ])  # fmt: skip
    return node


def _path_of(node: object) -> Optional[Path]:
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr) and node.attr not in _METHODS_OF_DATA:
        inner = _path_of(node.node)
        return None if inner is None else (*inner, node.attr)
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        inner, step = _path_of(node.node), node.arg.value
        if inner is None or step.__class__ not in (str, int) or step in _METHODS_OF_DATA:
            return None
        return (*inner, step)
    return None


def _value_at(variables: Mapping[str, Any], path: Path) -> Tuple[Json, Any]:
    """Return what is at a path, and what tells it from anything else that could be there."""
    value: Json = variables.get(path[0], MISSING)
    depth = 0
    for step in path[1:]:
        if value is MISSING:
            break
        depth += 1
        kind = value.__class__
        if kind is dict:
            value = value.get(step, MISSING)
        elif kind is list and step.__class__ is int:
            value = value[step] if -len(value) <= step < len(value) else MISSING
        else:
            raise BeyondError
    if value is MISSING:
        return MISSING, (MISSING, depth)
    return value, key_of(value)


def key_of(value: Json) -> Any:  # noqa: ANN401
    """Return a key of a plain value. Raises BeyondError for what is not plain: objects, and what may be a template."""
    kind = value.__class__
    if kind in _SCALARS or isinstance(value, str):
        if isinstance(value, str) and may_be_template(value):
            raise BeyondError
        return kind, value
    if kind is list:
        return list, tuple([key_of(entry) for entry in value])
    if kind is dict:
        return dict, tuple([(key_of(key), key_of(entry)) for key, entry in value.items()])
    if kind is float:
        return float, repr(value)
    raise BeyondError


def _compiled(node: nodes.Expr) -> Callable[..., Any]:
    body: List[nodes.Node] = [nodes.Assign(nodes.Name("result", "store"), node, lineno=1)]
    template = _ENVIRONMENT.from_string(nodes.Template(body, lineno=1))
    return TemplateExpression(template, undefined_to_none=False)


def _split(value: str, *arguments: Any) -> List[str]:  # noqa: ANN401
    return value.split(*arguments)


_ENVIRONMENT = Environment()  # noqa: S701 (results are data, not HTML)
_GLOBALS = frozenset((*_ENVIRONMENT.globals, "now", "omit", "undef", "environment", "self", "loop", "caller"))
_ENVIRONMENT.filters.update(
    {"regex_replace": regex_replace, "regex_search": regex_search, "ternary": ternary, "split": _split}
)
