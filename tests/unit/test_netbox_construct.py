"""compose, groups and keyed_groups: the same inventory as by Ansible's own Constructable, host by host."""

import json
from typing import Any

import pytest
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory import BaseInventoryPlugin, Constructable
from hypothesis import given, settings
from hypothesis import strategies as st

from netbox_modules import ROOT, construct, membership, trust

try:
    from ansible.template import trust_as_template
except ImportError:  # before 2.19 all texts of the configuration are templates

    def trust_as_template(value: Any) -> Any:
        return value


class Plugin(BaseInventoryPlugin, Constructable):
    """A plugin with these options, on an inventory of hosts with these variables."""

    NAME = "constructs"

    def __init__(self, hosts: dict[str, dict[str, Any]], **options: Any) -> None:
        super().__init__()
        self.given = {"use_extra_vars": False, "leading_separator": True, **options}
        loader = DataLoader()
        self._extra = dict(options.get("extra", {}))
        super().parse(InventoryData(), loader, "/hosts", cache=False)
        self._vars = self._extra
        for name, variables in hosts.items():
            self.inventory.add_host(name)
            self.inventory.hosts[name].vars.update(trust.untrusted_variables(variables))
        self.inventory.add_group("site_fra1")
        membership.fill_groups(self.inventory, {"site_fra1": list(hosts)[:2]})

    def get_option(self, option: str, hostvars: Any = None) -> Any:  # noqa: ARG002
        return self.given[option]

    def listing(self) -> dict[str, Any]:
        """Return all that there is in the inventory, in the order in which it came."""
        return {
            "hosts": {
                name: {
                    "variables": {key: (_kind(value), value) for key, value in host.vars.items()},
                    "groups": sorted(group.name for group in host.groups),
                }
                for name, host in self.inventory.hosts.items()
            },
            "groups": {
                name: ([host.name for host in group.hosts], [child.name for child in group.child_groups])
                for name, group in self.inventory.groups.items()
            },
        }


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "text" if trust.TEMPLATES_ARE_MARKED else type(value).__name__
    if isinstance(value, list):
        return "list of %s" % [_kind(one) for one in value]
    return "mapping" if isinstance(value, dict) else type(value).__name__.replace("_AnsibleTagged", "").lower()


def outcome(way: Any, hosts: dict[str, dict[str, Any]], given: dict[str, Any]) -> Any:
    plugin = Plugin(
        hosts, **{key: value for key, value in given.items() if key in ("use_extra_vars", "leading_separator", "extra")}
    )
    options = construct.Constructed(
        given.get("compose"), given.get("groups"), given.get("keyed_groups"), given.get("strict", False)
    )
    try:
        way(plugin, dict.fromkeys(hosts, True), options)
    except Exception as error:  # noqa: BLE001 (Ansible raises bare ones too)
        return "error", type(error).__name__, str(error)
    return plugin.listing()


def as_ansible_does(plugin: Plugin, hosts: dict[str, bool], options: construct.Constructed) -> None:
    """Constructable's methods, host by host: what any inventory plugin does."""
    for name in hosts:
        host = plugin.inventory.hosts[name]
        plugin._set_composite_vars(options.compose, host.get_vars(), name, strict=options.strict)
        variables = host.get_vars()
        plugin._add_host_to_composed_groups(options.groups, variables, name, strict=options.strict)
        plugin._add_host_to_keyed_groups(options.keyed_groups, variables, name, strict=options.strict)


def same(hosts: dict[str, dict[str, Any]], **given: Any) -> Any:
    given = json.loads(json.dumps(given))
    for option in ("compose", "groups"):
        given[option] = {key: _trusted(text) for key, text in given.get(option, {}).items()}
    given["keyed_groups"] = [
        {key: _trusted(value) for key, value in entry.items()} if isinstance(entry, dict) else entry
        for entry in given.get("keyed_groups", [])
    ]
    ours = outcome(construct.construct, hosts, given)
    theirs = outcome(as_ansible_does, hosts, given)
    assert ours == theirs
    return ours


def _trusted(value: Any) -> Any:
    return trust_as_template(value) if isinstance(value, str) else value


EXPRESSIONS = json.loads((ROOT / "tests" / "fixtures" / "expressions.json").read_text(encoding="utf-8"))

VALUES = st.sampled_from(
    ["web", "db", "", "d b", "true", "True", "[1]", "{{ role }}", "{% x %}", "{'a': 1}", "1", "Ünïcode", "a\\b", "#x"]
)
SCALARS = VALUES | st.sampled_from([None, 0, 1, 2, 5, True, False, 1.0, -0.0, 2.5])
HOST = st.fixed_dictionaries(
    {},
    optional={
        "role": SCALARS,
        "text": VALUES,
        "number": st.sampled_from([0, 1, 3, 4, True, 1.0, "1"]),
        "tags": st.lists(st.sampled_from(["pci", "canary", "a b", "", "{{ x }}"]), max_size=3),
        "fields": st.fixed_dictionaries(
            {},
            optional={
                "window": SCALARS,
                "flag": SCALARS,
                "amount": st.sampled_from([1, 1.5, "2", None]),
                "items": SCALARS,
                "list": st.lists(st.fixed_dictionaries({"name": VALUES}), max_size=2),
            },
        ),
    },
)
HOSTS = st.dictionaries(
    st.sampled_from(["web-01", "db-02.example.com", "10.0.0.1", "fe80::1", "a-3", "b"]), HOST, min_size=1, max_size=5
)
ENTRY = st.fixed_dictionaries(
    {"key": st.sampled_from(EXPRESSIONS)},
    optional={
        "prefix": st.sampled_from(["", "p", "p q"]),
        "separator": st.sampled_from(["", "_", "-"]),
        "default_value": st.sampled_from(["none", ""]),
        "trailing_separator": st.booleans(),
        "parent_group": st.sampled_from(["parent", "{{ role }}", "all_{{ role }}", "site_fra1", ""]),
    },
)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_each_expression_has_the_result_that_ansible_gives(text: str) -> None:
    fields = {"window": "sun", "flag": True, "amount": 2.5, "list": [{"name": "n"}]}
    whole = {"role": "db", "text": "T", "number": 4, "tags": ["pci", "canary"], "fields": fields}
    hosts = {
        "web-01": whole,
        "web-02": whole,
        "10.0.0.1": {"role": "web", "text": "", "number": 1, "tags": [], "fields": {"window": None, "flag": False}},
        "bare": {},
        "odd": {"role": "{{ number }}", "text": "[1, 2]", "number": True, "tags": ["a b"], "fields": {"flag": "no"}},
    }
    for strict in (False, True):
        same(hosts, compose={"composed": text}, strict=strict)
        same(hosts, groups={"chosen": text}, strict=strict)
        same(hosts, keyed_groups=[{"key": text, "prefix": "k"}], strict=strict)


@settings(max_examples=60, deadline=None)
@given(
    hosts=HOSTS,
    compose=st.dictionaries(st.sampled_from(["composed", "role", "fields"]), st.sampled_from(EXPRESSIONS), max_size=2),
    groups=st.dictionaries(st.sampled_from(["chosen", "a b", "site_fra1"]), st.sampled_from(EXPRESSIONS), max_size=2),
    keyed_groups=st.lists(ENTRY, max_size=2),
    strict=st.booleans(),
    leading_separator=st.booleans(),
    use_extra_vars=st.booleans(),
)
def test_any_options_on_any_hosts_have_the_result_that_ansible_gives(hosts: dict[str, Any], **given: Any) -> None:
    same(hosts, extra={"role": "extra"}, **given)


def test_plain_expressions_are_not_given_to_ansible(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    original = Plugin._compose

    def counted(self: Plugin, template: str, variables: Any, **named: Any) -> Any:
        asked.append(str(template))
        return original(self, template, variables, **named)

    monkeypatch.setattr(Plugin, "_compose", counted)
    hosts = {f"h{number}": {"role": ("db", "web")[number % 2], "name": f"n{number}"} for number in range(50)}
    plugin = Plugin(hosts)
    options = construct.Constructed(
        {"fqdn": trust_as_template("name ~ '.example.com'")},
        {},
        [{"key": trust_as_template("role"), "prefix": "r"}, {"key": trust_as_template("role | type_debug")}],
        False,
    )
    construct.construct(plugin, dict.fromkeys(hosts, True), options)
    assert asked.count("role") == 2
    assert asked.count("role | type_debug") == 2
    assert asked.count("name ~ '.example.com'") <= 1


def test_hosts_that_are_named_like_groups() -> None:
    same(
        {"a": {"role": "db"}, "all": {}, "site_fra1": {"role": "web"}},
        compose={"x": "role"},
        groups={"y": "role == 'db'"},
    )
