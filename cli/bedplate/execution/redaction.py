"""Taking secrets out of text, in whatever form they appear there."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from bedplate.runs import REDACTED

SHORTEST = 4
_SHORTEST_BASE64 = 8
_LARGE = 4096
_MOST_PATTERNS = 12
_LINE_LENGTHS = (64, 76)
_LINE_END = re.compile(r"[ \t]*\r?\n[ \t]*")


class Redactor:
    """Replaces secrets by `REDACTED`.

    A secret is found raw and in the forms that tools give it: escaped as in JSON, Python, YAML and HTML (also twice
    over), quoted for a shell, in a URL, in hexadecimal, in base64 on its own or inside of something longer, and each
    line of it. It is found across line ends too, where a message was wrapped.

    A secret shorter than `SHORTEST` characters would blacken half of every text: it is replaced only where it is the
    whole of a text. Numbers are compared as text.

    Args:
        secrets: the texts.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: dict[str, None] = {}
        self._short: set[str] = set()
        self._forms: set[str] = set()
        self._patterns: list[re.Pattern[str]] = []
        self.add(secrets)

    def __bool__(self) -> bool:
        return bool(self._secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Take out these too from now on."""
        forms: set[str] = set()
        for secret in secrets:
            if not secret.strip() or secret in self._secrets:
                continue
            self._secrets[secret] = None
            if len(secret.strip()) < SHORTEST:
                self._short.update((secret, secret.strip()))
            else:
                forms |= forms_of(secret)
        self._look_for(forms - self._forms)

    def text(self, text: str) -> str:
        """Return text without secrets."""
        if text in self._short:
            return REDACTED
        clean = self._without(text)
        return self._unwrapped(clean) if self._patterns and "\n" in clean.strip() else clean

    def value(self, value: Any) -> Any:  # noqa: ANN401
        """Return plain data without secrets, in texts, numbers and keys."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(inner) for inner in value]
        if value is None or isinstance(value, bool):
            return value
        return REDACTED if self.text(str(value)) == REDACTED else value

    def _look_for(self, forms: set[str]) -> None:
        """Take in new forms; secrets that come one by one must not each compile all forms anew."""
        if not forms:
            return
        self._forms |= forms
        if len(self._patterns) < _MOST_PATTERNS:
            self._patterns.append(re.compile(_alternatives(forms)))
        else:
            self._patterns = [re.compile(_alternatives(self._forms))]

    def _without(self, text: str) -> str:
        for pattern in self._patterns:
            text = pattern.sub(REDACTED, text)
        return text

    def _unwrapped(self, text: str) -> str:
        """Return text, its lines joined if that shows a secret which was broken over several."""
        for joined in (_LINE_END.sub("", text), _LINE_END.sub(" ", text), text.replace("\r", "").replace("\n", "")):
            clean = self._without(joined)
            if clean != joined:
                return clean
        return text


def forms_of(secret: str) -> set[str]:
    """Return every form in which a secret of at least `SHORTEST` characters is looked for.

    A text beyond `_LARGE` characters, such as a whole file, is looked for line by line, escaped once.
    """
    large = len(secret) > _LARGE
    forms: set[str] = set()
    for text in _lines(secret) if large else _parts(secret):
        once = {text} | {escape(text) for escape in _ESCAPES}
        forms |= once if large else once | {escape(form) for form in once for escape in _ESCAPES}
        forms |= set() if large else set(_encodings(text))
    if large:
        forms |= set(_base64(secret.encode("utf-8", "surrogateescape")))
    return {form for form in forms if len(form) >= SHORTEST}


def _parts(secret: str) -> set[str]:
    whole = {secret, secret.strip(), secret.replace("\r\n", "\n"), secret.replace("\n", "\r\n")}
    return {part for part in whole if len(part) >= SHORTEST} | _lines(secret)


def _lines(secret: str) -> set[str]:
    return {line.strip() for line in secret.splitlines() if len(line.strip()) >= SHORTEST}


def _json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _json_unicode(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _python(text: str) -> str:
    return repr(text)[1:-1]


def _shell(text: str) -> str:
    return shlex.quote(text).removeprefix("'").removesuffix("'")


def _double_quoted(text: str) -> str:
    return re.sub(r'(["$`\\])', r"\\\1", text)


def _sql(text: str) -> str:
    return text.replace("'", "''")


def _yaml(text: str) -> str:
    """Return text as in YAML's double quotes: JSON's escapes, but short ones of its own."""
    escaped = _json_unicode(text).replace("\\u001b", "\\e").replace("\x85", "\\N").replace("\xa0", "\\_")
    beyond = "".join(_yaml_character(character) for character in escaped)
    return beyond.replace("\u2028", "\\L").replace("\u2029", "\\P")


def _yaml_character(character: str) -> str:
    number = ord(character)
    if number < 0x7F:
        return character
    if number <= 0xFF:
        return f"\\x{number:02X}"
    return f"\\u{number:04X}" if number <= 0xFFFF else f"\\U{number:08X}"


_ESCAPES: tuple[Callable[[str], str], ...] = (
    _json, _json_unicode, _python, ascii, _shell, _double_quoted, _sql, _yaml, html.escape,
)  # fmt: skip


def _encodings(text: str) -> Iterator[str]:
    content = text.encode("utf-8", "surrogateescape")
    yield urllib.parse.quote(content, safe="")
    yield urllib.parse.quote(content)
    yield urllib.parse.quote_plus(content)
    yield content.hex()
    yield content.hex().upper()
    for tail in (b"", b"\n"):
        yield from _base64(content + tail)
    for offset in range(3):
        inner = _stable_base64(content, offset)
        if len(inner) >= _SHORTEST_BASE64:
            yield inner
            yield _url_safe(inner)


def _base64(content: bytes) -> Iterator[str]:
    """Yield base64 of just this, whole and in the lines that tools break it into."""
    whole = base64.b64encode(content).decode()
    yield whole.rstrip("=")
    yield _url_safe(whole).rstrip("=")
    for length in _LINE_LENGTHS:
        lines = [whole[start : start + length] for start in range(0, len(whole), length)]
        yield from (line for line in lines[1:] if len(line) >= _SHORTEST_BASE64)
        yield lines[0]


def _stable_base64(content: bytes, offset: int) -> str:
    """Return the part of base64 that is the same whatever stands around, if `offset` bytes are in its first group."""
    encoded = base64.b64encode(bytes(offset) + content).decode()
    start = (0, 2, 3)[offset]
    whole_bits = (offset + len(content)) * 8
    return encoded[start : whole_bits // 6]


def _url_safe(text: str) -> str:
    return text.replace("+", "-").replace("/", "_")


def _alternatives(forms: Iterable[str]) -> str:
    """Return a pattern that matches the longest of the forms, with common beginnings shared: it stays fast."""
    tree: dict[str, Any] = {}
    for form in forms:
        node = tree
        for character in form:
            node = node.setdefault(character, {})
        node[""] = {}
    return _branch(tree)


def _branch(tree: dict[str, Any]) -> str:
    stem = ""
    while len(tree) == 1:
        ((character, tree),) = tree.items()
        if not character:
            return stem
        stem += re.escape(character)
    branches = [re.escape(character) + _branch(below) for character, below in tree.items() if character]
    group = branches[0] if len(branches) == 1 else "|".join(branches)
    return f"{stem}(?:{group}){'?' if '' in tree else ''}" if branches else stem
