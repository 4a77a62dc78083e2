"""Which texts are secret: what was decrypted, and what the environment holds under telling names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from bedplate.execution.redaction import SHORTEST

_TELLING = re.compile(r"TOKEN|PASSW|PASSPHRASE|SECRET|CREDENTIAL|API_?KEY|PRIVATE_?KEY", re.IGNORECASE)
_OF_FILES = re.compile(r"(_FILE|_PATH|_DIR|_SOCK)$", re.IGNORECASE)
_IN_URL = re.compile(r"://[^/\s:@]*:([^@\s/]+)@")
_SHORTEST_IN_ENVIRONMENT = 8


class _Loader(yaml.SafeLoader):
    """Reads YAML with ansible's tags as if they were not there."""


def _untagged(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> Any:  # noqa: ANN401
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)  # type: ignore[arg-type]


_Loader.add_multi_constructor("!", _untagged)


def secrets_in(plaintext: str) -> Iterator[str]:
    """Yield the secrets in what was vaulted: the values if it is a YAML file of variables, else all of it."""
    try:
        content = yaml.load(plaintext, Loader=_Loader)  # noqa: S506 (a safe loader)
    except yaml.YAMLError:
        content = None
    if isinstance(content, dict | list):
        yield from _leaves(content)
    else:
        yield plaintext


def secrets_in_environment(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield values of variables whose name says that they are secret, and passwords in URLs."""
    for name, value in environment.items():
        if _TELLING.search(name) and not _OF_FILES.search(name) and len(value) >= _SHORTEST_IN_ENVIRONMENT:
            yield value
        yield from _IN_URL.findall(value)


def _leaves(value: Any) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner)
    elif value is not None and not isinstance(value, bool) and len(str(value)) >= SHORTEST:
        yield str(value)
