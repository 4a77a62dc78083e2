"""Which words of the expression language have results that can be foreseen; see `expressions`."""

from __future__ import annotations

# Results depend on the arguments alone. What is not named here (now, random, other collections' filters) may not.
SURE_FILTERS = frozenset((
    "abs", "b64decode", "b64encode", "basename", "batch", "bool", "capitalize", "center", "combine", "count",
    "d", "default", "dict2items", "dictsort", "difference", "dirname", "first", "flatten", "float", "from_json",
    "from_yaml", "hash", "int", "intersect", "items", "items2dict", "join", "last", "length", "list", "lower",
    "max", "md5", "min", "quote", "regex_escape", "regex_findall", "regex_replace", "regex_search", "replace",
    "reverse", "round", "sha1", "sort", "split", "splitext", "string", "sum", "symmetric_difference", "ternary",
    "title", "to_json", "to_nice_json", "trim", "truncate", "type_debug", "union", "unique", "upper",
    "wordcount",
))  # fmt: skip

SURE_TESTS = frozenset((
    "boolean", "contains", "defined", "divisibleby", "eq", "equalto", "even", "false", "float", "ge",
    "greaterthan", "gt", "in", "integer", "iterable", "le", "lessthan", "lower", "lt", "mapping", "match", "ne",
    "none", "number", "odd", "regex", "search", "sequence", "string", "subset", "superset", "true", "undefined",
    "upper", "version",
))  # fmt: skip

SURE_METHODS = frozenset((
    "capitalize", "endswith", "get", "items", "join", "keys", "lower", "lstrip", "replace", "rsplit", "rstrip",
    "split", "startswith", "strip", "title", "upper", "values",
))  # fmt: skip

# These look at groups, at other hosts or at variables whose names are not seen in the expression.
FLEET_WIDE = frozenset(("group_names", "groups", "hostvars", "vars"))  # fmt: skip

# So do lookups, but for these.
LOOKUPS = frozenset(("lookup", "q", "query"))  # fmt: skip
PLAIN_LOOKUPS = frozenset(("csvfile", "env", "file", "ini", "password", "pipe", "url"))  # fmt: skip

# On plain data these are the same in Ansible's templating and in plain Jinja.
PLAIN_FILTERS = frozenset((
    "capitalize", "d", "default", "first", "int", "join", "last", "length", "lower", "regex_replace",
    "regex_search", "replace", "split", "ternary", "title", "trim", "upper",
))  # fmt: skip

PLAIN_TESTS = frozenset((
    "defined", "eq", "in", "mapping", "ne", "none", "number", "string", "undefined",
))  # fmt: skip

# What these look at may be missing.
GUARDS = frozenset((
    "d", "default", "defined", "undefined",
))  # fmt: skip

PLAIN_METHODS = frozenset((
    "endswith", "lower", "lstrip", "replace", "rsplit", "rstrip", "split", "startswith", "strip", "upper",
))  # fmt: skip
