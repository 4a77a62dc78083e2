"""Which templates say the same as long as nobody changes the inventory: those of which all parts are known to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PREFIX = "ansible.builtin."
_FILTERS = _words("""
    abs b64decode b64encode basename batch bool capitalize checksum combine count d default dict2items dictsort
    difference dirname expanduser first flatten float format from_json from_yaml groupby hash human_readable
    human_to_bytes indent int intersect items items2dict join last length list lower mandatory map max md5 min path_join
    product quote regex_escape regex_findall regex_replace regex_search reject rejectattr replace reverse round select
    selectattr sha1 slice sort split splitext string subelements sum symmetric_difference ternary title to_json
    to_nice_json to_nice_yaml to_uuid to_yaml trim truncate type_debug union unique upper urlsplit wordcount zip
    zip_longest
""")  # fmt: skip
_TESTS = _words("""
    all any boolean contains defined divisibleby eq equalto even false falsy float ge gt in integer iterable le lower lt
    mapping match ne none number odd sameas search sequence string subset superset true truthy undefined upper version
    version_compare
""")  # fmt: skip
# These apply another filter or test, that an argument names: by its place.
_APPLYING = {"map": (_FILTERS, 0), "select": (_TESTS, 0), "reject": (_TESTS, 0), "selectattr": (_TESTS, 1),
             "rejectattr": (_TESTS, 1)}  # fmt: skip
# What is of other hosts, of the run, or found on the host: no variable of the inventory that is compared.
_ELSEWHERE = frozenset(["hostvars", "groups", "group_names", "vars", "play_hosts", "bedplate_run", "environment"])
_OF_THE_HOST = frozenset(["ansible_connection", "ansible_host", "ansible_port", "ansible_user"])
_METHODS = _words("""
    count endswith format get index items join keys lower lstrip replace rsplit rstrip split splitlines startswith strip
    title upper values
""")  # fmt: skip
_LOOKUPS = frozenset(["lookup", "query", "q"])
# Where this machine keeps things is no content of anything.
_PLACES = frozenset(["HOME", "USER", "LOGNAME", "BEDPLATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"])
_FILES = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


def looks_elsewhere(value: Any) -> bool:  # noqa: ANN401
    """Return whether a template in plain data may say something else the next time, for all that can be told."""
    if isinstance(value, Mapping):
        return any(looks_elsewhere(each) for pair in value.items() for each in pair)
    if isinstance(value, list | tuple):
        return any(map(looks_elsewhere, value))
    return isinstance(value, str) and ("{{" in value or "{%" in value) and not _is_lasting(value)


@cache
def _is_lasting(template: str) -> bool:
    try:
        tree = Environment(autoescape=False).parse(template)  # noqa: S701 (nothing is rendered)
    except TemplateSyntaxError:
        return False
    return not any(tree.find_all(_FILES)) and (
        all(_is_own(name.name) for name in tree.find_all(nodes.Name))
        and all(_is_known(each, _FILTERS) for each in tree.find_all(nodes.Filter))
        and all(_is_known(each, _TESTS) for each in tree.find_all(nodes.Test))
        and all(_is_known_call(call) for call in tree.find_all(nodes.Call))
    )


def _is_own(name: str) -> bool:
    return name not in _ELSEWHERE and (not name.startswith("ansible_") or name in _OF_THE_HOST)


def _is_known(used: nodes.Filter | nodes.Test, known: frozenset[str]) -> bool:
    name = used.name.removeprefix(_PREFIX)
    if name not in known or used.dyn_args is not None or used.dyn_kwargs is not None:
        return False
    applied, place = _APPLYING.get(name, (known, None))
    if place is None or len(used.args) <= place:
        return True
    return str(_constant(used.args[place])).removeprefix(_PREFIX) in applied


def _is_known_call(call: nodes.Call) -> bool:
    """Return whether a call is a value's own method, or asks for a place of this machine."""
    if isinstance(call.node, nodes.Getattr):
        return call.node.attr in _METHODS
    if not isinstance(call.node, nodes.Name) or call.node.name not in _LOOKUPS or call.dyn_args or call.dyn_kwargs:
        return False
    plugin, *names = map(_constant, call.args or [nodes.Const(None)])
    return str(plugin).removeprefix(_PREFIX) == "env" and all(name in _PLACES for name in names)


def _constant(node: nodes.Expr) -> Any:  # noqa: ANN401
    return node.value if isinstance(node, nodes.Const) else None
