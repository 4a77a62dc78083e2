"""YAML with the place of each key.

Plain words are read as in YAML 1.2: only `true` and `false` are booleans and dates stay text, so that editors, the
command line and the collection's plugins agree on what a manifest says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import yaml

_Path = tuple[str | int, ...]
_LoaderBase: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"


class YamlError(ValueError):
    """A text that is not usable YAML; `line` and `column` count from 1."""

    def __init__(self, sentence: str, line: int, column: int, path: _Path = ()) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.line = line
        self.column = column
        self.path = path


class _Loader(_LoaderBase):  # type: ignore[misc]
    """Safe YAML whose plain words are those of YAML 1.2."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}


_FIRST = "-+.0123456789"
for _name, _pattern, _start in (
    ("bool", r"^(true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"^[-+]?(0|[1-9][0-9]*)$", _FIRST),
    ("float", r"^[-+]?((0|[1-9][0-9]*)?\.[0-9]+([eE][-+]?[0-9]+)?|(0|[1-9][0-9]*)\.?[eE][-+]?[0-9]+)$", _FIRST),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(_pattern), list(_start))


def _construct_float(loader: Any, node: yaml.ScalarNode) -> float:  # noqa: ANN401
    return float(loader.construct_scalar(node))


_Loader.add_constructor(_TAG + "float", _construct_float)


class _PlaybookLoader(_Loader):
    """Also takes local tags such as `!vault`, whose values are of no interest."""


def _construct_nothing(_loader: Any, _suffix: str, _node: yaml.Node) -> None:  # noqa: ANN401
    return None


_PlaybookLoader.add_multi_constructor("!", _construct_nothing)


@dataclass(frozen=True)
class YamlTree:
    """A document and where its keys are.

    Attributes:
        data: mappings, lists and scalars.
        marks: path → (line, column) of the key or of the list's entry, from 1.
        empty: the paths whose value is null.
    """

    data: Any
    marks: dict[_Path, tuple[int, int]] = field(default_factory=dict)
    empty: tuple[_Path, ...] = ()

    def place(self, path: Sequence[str | int]) -> tuple[int, int]:
        """Return line and column of the path, or of the nearest key above it."""
        for length in range(len(path), 0, -1):
            if tuple(path[:length]) in self.marks:
                return self.marks[tuple(path[:length])]
        return self.marks.get((), (1, 1))


def parse_yaml(text: str, *, local_tags: bool = False) -> YamlTree:
    """Read one YAML (or JSON) document.

    Args:
        text: the document.
        local_tags: take tags such as `!vault`, with null for what is tagged.

    Raises:
        YamlError: a syntax error, a key that is there twice or is no text, or an unknown tag.
    """
    loader = None
    try:
        loader = (_PlaybookLoader if local_tags else _Loader)(text)
        node = loader.get_single_node()
        if node is None:
            return YamlTree(None)
        marks: dict[_Path, tuple[int, int]] = {(): _place(node)}
        nulls = tuple(_walk(node, (), marks, frozenset()))
        return YamlTree(loader.construct_document(node), marks, nulls)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error) from error
    except yaml.YAMLError as error:
        raise YamlError(f"is not YAML: {str(error).splitlines()[0]}", 1, 1) from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, YamlError):
            raise
        raise YamlError(f"is not usable YAML: {error}", 1, 1) from error
    finally:
        if loader is not None:
            loader.dispose()


def _syntax_error(error: yaml.MarkedYAMLError) -> YamlError:
    mark = error.problem_mark or error.context_mark
    reason = ", ".join(part for part in (error.problem, error.context) if part)
    return YamlError(f"is not YAML: {reason}", mark.line + 1 if mark else 1, mark.column + 1 if mark else 1)


def _place(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _walk(node: yaml.Node, path: _Path, marks: dict[_Path, tuple[int, int]], above: frozenset[int]) -> Iterator[_Path]:
    if id(node) in above:
        raise YamlError("refers to itself", *_place(node), path)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            child = (*path, _key(key, path, marks))
            marks[child] = _place(key)
            yield from _walk(value, child, marks, above | {id(node)})
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            marks[(*path, index)] = _place(value)
            yield from _walk(value, (*path, index), marks, above | {id(node)})
    elif node.tag == _TAG + "null":
        yield path


def _key(key: yaml.Node, path: _Path, marks: dict[_Path, tuple[int, int]]) -> str:
    if not isinstance(key, yaml.ScalarNode) or key.tag != _TAG + "str":
        raise YamlError("has a key that is not text", *_place(key), path)
    name = str(key.value)
    if (*path, name) in marks:
        raise YamlError(f"is there twice, first in line {marks[(*path, name)][0]}", *_place(key), (*path, name))
    return name
