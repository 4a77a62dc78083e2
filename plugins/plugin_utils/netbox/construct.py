"""`compose`, `groups` and `keyed_groups` of a large fleet, with the results of Ansible's own `Constructable`.

Ansible's own code runs once for each set of inputs that an expression has, with an inventory that only writes down what
it is told. For other hosts with these inputs that is repeated, and memberships are put in by bulk.
"""

# ruff: noqa: SLF001 (Constructable has no public methods: plugins inherit them)
from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible import constants
from ansible.inventory.data import InventoryData
from ansible.inventory.host import Host
from ansible.utils.vars import combine_vars

from .expressions import BeyondError, Expression, key_of
from .membership import fill_groups
from .trust import TEMPLATES_ARE_MARKED, as_templated

Plugin = Any  # an inventory plugin that is a Constructable
Bases = Mapping[str, Mapping[str, Any]]  # of each host what its expressions see besides its variables
Outcome = Tuple[Any, ...]  # the value of a composed variable, or the groups that the host goes into

_KEPT_OUTCOMES = 4096
_MAY_BE_ADDRESS = frozenset("0123456789abcdefABCDEF:[")
_JINJA_MAKES_TEXT = not (TEMPLATES_ARE_MARKED or getattr(constants, "DEFAULT_JINJA2_NATIVE", False))


class Constructed(NamedTuple):
    """The options of these names."""

    compose: Any
    groups: Any
    keyed_groups: Any
    strict: bool


class _Notes:
    """An inventory that makes groups, and writes down what a host gets."""

    def __init__(self, inventory: InventoryData) -> None:
        self._inventory = inventory
        self._told: List[Any] = []

    def add_group(self, group: str) -> str:
        return str(self._inventory.add_group(group))

    def add_host(self, _host: str, group: str) -> None:
        self._told.append(group)

    def add_child(self, group: str, child: str) -> None:
        if child in self._inventory.groups:
            self._inventory.add_child(group, child)
        else:
            self._told.append(group)

    def set_variable(self, _host: str, _name: str, value: object) -> None:
        self._told.append(value)

    def take(self) -> Outcome:
        told, self._told = tuple(self._told), []
        return told


class _Step:
    """One entry of the options.

    Args:
        expressions: all that its outcome depends on; the first one is its own.
    """

    result_is_outcome = False

    def __init__(self, plugin: Plugin, bases: Bases, expressions: Sequence[Expression]) -> None:
        self.plugin = plugin
        self.bases = bases
        self.expressions = expressions
        self._known: Dict[Tuple[Any, ...], Outcome] = {}
        self._by_result: Dict[Tuple[Any, ...], Outcome] = {}

    def outcome(self, host: Host, variables: Mapping[str, Any], strict: bool) -> Outcome:
        """Return what the host gets. Raises AnsibleError where Ansible does."""
        try:
            readings = [expression.read(variables) for expression in self.expressions]
        except BeyondError:
            return self._rehearsed(host, strict)
        key = (strict, *[reading.key for reading in readings])
        known = self._known.get(key)
        if known is None:
            known = self._told(host, strict, readings)
            if len(self._known) < _KEPT_OUTCOMES:
                self._known[key] = known
        return known

    def _told(self, host: Host, strict: bool, readings: Sequence[Any]) -> Outcome:
        if len(readings) > 1:
            return self._rehearsed(host, strict)
        try:
            result = self.accepted(self.expressions[0].evaluate(readings[0]), readings[0].is_unsafe)
            key = (strict, key_of(result))
        except (BeyondError, ValueError):
            return self._rehearsed(host, strict)
        if self.result_is_outcome:
            return (result,)
        known = self._by_result.get(key)
        if known is None:  # Ansible says what follows from it
            known = self._by_result[key] = self._rehearsed(host, strict)
        return known

    def accepted(self, result: Any, is_unsafe: bool) -> Any:  # noqa: ANN401
        """Return a result as Ansible has it. Raises BeyondError or ValueError if only Ansible can tell."""
        if not (TEMPLATES_ARE_MARKED or _JINJA_MAKES_TEXT):
            raise BeyondError
        return as_templated(result, is_unsafe)

    def _rehearsed(self, host: Host, strict: bool) -> Outcome:
        self.rehearse(host, strict)
        outcome: Outcome = self.plugin.inventory.take()
        return outcome

    def rehearse(self, host: Host, strict: bool) -> None:
        """Let Ansible's own code tell the plugin's inventory what the host gets."""
        raise NotImplementedError


class _Variable(_Step):
    result_is_outcome = True

    def __init__(self, plugin: Plugin, bases: Bases, name: str, text: object) -> None:
        super().__init__(plugin, bases, [Expression(text)])
        self.name = name
        self._entry = {name: text}

    def rehearse(self, host: Host, strict: bool) -> None:
        variables = self.bases.get(host.name) or host.get_vars()
        self.plugin._set_composite_vars(self._entry, variables, host.name, strict=strict)


class _Condition(_Step):
    def __init__(self, plugin: Plugin, bases: Bases, group: str, text: object) -> None:
        super().__init__(plugin, bases, [Expression(text, is_condition=True)])
        self._entry = {group: text}

    def accepted(self, result: Any, is_unsafe: bool) -> Any:  # noqa: ANN401, ARG002
        if TEMPLATES_ARE_MARKED and not isinstance(result, bool):
            raise BeyondError
        return bool(result)

    def rehearse(self, host: Host, strict: bool) -> None:
        variables = combine_vars(self.bases.get(host.name, {}), host.get_vars())
        self.plugin._add_host_to_composed_groups(self._entry, variables, host.name, strict=strict, fetch_hostvars=False)


class _KeyedGroup(_Step):
    def __init__(self, plugin: Plugin, bases: Bases, entry: Any) -> None:  # noqa: ANN401 (as in the inventory file)
        texts = [entry.get("key")] if isinstance(entry, dict) else [None]
        parent = entry.get("parent_group") if isinstance(entry, dict) else None
        if isinstance(parent, str) and "{" in parent:
            texts.append(parent.strip()[2:-2] if parent.strip().startswith("{{") else None)
        super().__init__(plugin, bases, [Expression(text) for text in texts])
        self._entry = [entry]

    def rehearse(self, host: Host, strict: bool) -> None:
        variables = combine_vars(self.bases.get(host.name, {}), host.get_vars())
        self.plugin._add_host_to_keyed_groups(self._entry, variables, host.name, strict=strict, fetch_hostvars=False)


def construct(plugin: Plugin, hosts: Mapping[str, bool], options: Constructed, bases: Optional[Bases] = None) -> None:
    """Apply the options to hosts of the plugin's inventory.

    Args:
        hosts: name → whether `strict` holds for it.
        bases: name → what is there besides the host's variables, behind them; compose sees nothing else.

    Raises:
        AnsibleError: as `Constructable` does.
    """
    construction = _Construction(plugin, options, bases or {})
    if any(expression.is_fleet_wide for expression in construction.expressions):
        _construct_as_ansible_does(plugin, hosts, options, bases or {})
        return
    inventory: InventoryData = plugin.inventory
    members: Dict[str, List[str]] = {}
    plugin.inventory = _Notes(inventory)
    try:
        for name, strict in hosts.items():
            construction.apply(inventory, inventory.hosts[name], strict and options.strict, members)
    finally:
        plugin.inventory = inventory
    fill_groups(inventory, members)


class _Construction:
    """All entries of the options, in the order in which Ansible takes them."""

    def __init__(self, plugin: Plugin, options: Constructed, bases: Bases) -> None:
        compose = options.compose if isinstance(options.compose, dict) else {}
        groups = options.groups if isinstance(options.groups, dict) else {}
        keyed = options.keyed_groups if isinstance(options.keyed_groups, list) else []
        self._bases = bases
        self._extra = plugin._vars if plugin.get_option("use_extra_vars") else {}
        self._variables = [_Variable(plugin, bases, name, text) for name, text in compose.items()]
        self._conditions = [_Condition(plugin, bases, group, text) for group, text in groups.items()]
        self._keyed = [_KeyedGroup(plugin, bases, entry) for entry in keyed]
        self._set: Dict[str, str] = {}
        self._reads_names = any(
            path[0] in ("inventory_hostname", "inventory_hostname_short")
            for expression in self.expressions
            for path in expression.paths or ()
        )

    @property
    def expressions(self) -> List[Expression]:
        steps: List[_Step] = [*self._variables, *self._conditions, *self._keyed]
        return [expression for step in steps for expression in step.expressions]

    def apply(self, inventory: InventoryData, host: Host, strict: bool, members: Dict[str, List[str]]) -> None:
        """Set the host's composed variables, and note which groups it goes into."""
        base = self._bases.get(host.name)
        seen = self._with_extra(self._own(host) if base is None else base)
        outcomes = [(variable.name, variable.outcome(host, seen, strict)) for variable in self._variables]
        for name, outcome in outcomes:
            for value in outcome:
                self._set_variable(inventory, host, name, value)
        own = self._own(host) if base is None else combine_vars(base, self._own(host))
        seen = self._with_extra(own)
        outcomes = [("", condition.outcome(host, own, strict)) for condition in self._conditions]
        outcomes += [("", keyed.outcome(host, seen, strict)) for keyed in self._keyed]
        for _, outcome in outcomes:
            for group in outcome:
                members.setdefault(group, []).append(host.name)

    def _own(self, host: Host) -> Mapping[str, Any]:
        """Return the host's variables, as far as expressions read them."""
        if not self._reads_names:
            variables: Mapping[str, Any] = host.vars
            return variables
        name = host.name
        short = host.get_magic_vars()["inventory_hostname_short"] if name[0] in _MAY_BE_ADDRESS else name.split(".")[0]
        return {**host.vars, "inventory_hostname": name, "inventory_hostname_short": short}

    def _with_extra(self, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        return combine_vars(variables, self._extra) if self._extra else variables

    def _set_variable(self, inventory: InventoryData, host: Host, name: str, value: object) -> None:
        """Set a variable; what Ansible has to say of its name it says once, and mappings it merges."""
        known = self._set.get(name)
        if known is None or host.name in inventory.groups or isinstance(host.vars.get(known), dict):
            inventory.set_variable(host.name, name, value)
            self._set[name] = str.__str__(name) if isinstance(name, str) else name
        else:
            host.vars[known] = value


def _construct_as_ansible_does(plugin: Plugin, hosts: Mapping[str, bool], options: Constructed, bases: Bases) -> None:
    for name, held in hosts.items():
        host, strict = plugin.inventory.hosts[name], held and options.strict
        base = bases.get(name)
        plugin._set_composite_vars(options.compose, base or host.get_vars(), name, strict=strict)
        variables = base or host.get_vars()
        plugin._add_host_to_composed_groups(options.groups, variables, name, strict=strict)
        plugin._add_host_to_keyed_groups(options.keyed_groups, variables, name, strict=strict)
