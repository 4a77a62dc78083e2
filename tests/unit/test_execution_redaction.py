"""Secrets are found in every form that tools give them."""

from __future__ import annotations

import base64
import html
import json
import shlex
import textwrap
import urllib.parse

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bedplate.execution.redaction import SHORTEST, Redactor
from bedplate.runs import REDACTED

CANARIES = [
    "correct horse battery staple",
    "s3cr3t-C4nary",
    "quo\"te'd $HOME `id` \\back",
    'first line\nsecond line\nthird "line"',
    "Pässwörd-密碼-😀-ключ",
    "tab\tand\x1bescape",
    "{{ lookup('pipe', 'id') }}",
    "p@ss/w+rd=&?%",
    "x" * 300,
]
FORMS = {
    "raw": lambda s: s,
    "json": json.dumps,
    "json utf-8": lambda s: json.dumps(s, ensure_ascii=False),
    "json in json": lambda s: json.dumps(json.dumps({"a": s})),
    "python": repr,
    "python ascii": ascii,
    "yaml": lambda s: yaml.safe_dump({"a": s}, default_style='"', width=10**6),
    "shell": shlex.quote,
    "url": lambda s: urllib.parse.quote(s, safe=""),
    "url plus": urllib.parse.quote_plus,
    "html": html.escape,
    "hex": lambda s: s.encode().hex(),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 of a line": lambda s: base64.b64encode(f"{s}\n".encode()).decode(),
    "url-safe base64": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
    "repr in json": lambda s: json.dumps(repr(s)),
}


def _remains(text: str, secret: str) -> list[str]:
    """Return what of a secret can still be read: itself, or a line of it."""
    return [line for line in secret.splitlines() if len(line.strip()) >= SHORTEST and line.strip() in text]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", CANARIES, ids=range(len(CANARIES)))
def test_every_form_is_replaced(secret: str, form: str) -> None:
    shown = FORMS[form](secret)
    clean = Redactor([secret]).text(f"before {shown} after")
    assert REDACTED in clean
    assert shown not in clean
    assert not _remains(clean, secret)


@pytest.mark.parametrize("offset", range(6))
def test_base64_of_something_longer_is_replaced(offset: int) -> None:
    secret = "s3cr3t-C4nary-value"
    shown = base64.b64encode(b"." * offset + secret.encode() + b"tail").decode()
    before, found, after = Redactor([secret]).text(shown).partition(REDACTED)
    assert found
    assert base64.b64decode(before[: len(before) // 4 * 4]) == b"." * (len(before) // 4 * 3)
    assert len(before) + len(after) <= (offset + 4 + 4) * 4 / 3 + 4


@pytest.mark.parametrize("secret", ["two words and more of them in a row", "y" * 120])
def test_a_wrapped_message_shows_nothing(secret: str) -> None:
    message = "\n".join(textwrap.wrap(f"[WARNING]: the value {secret} is bad", 30, drop_whitespace=False))
    indented = textwrap.indent(message, "    ")
    for text in (message, indented):
        clean = Redactor([secret]).text(text)
        joined = "".join(clean.split())
        assert "".join(secret.split()) not in joined


def test_base64_with_line_ends_is_replaced() -> None:
    secret = "z9" * 100
    shown = base64.encodebytes(secret.encode()).decode()
    clean = Redactor([secret]).text(shown)
    assert base64.b64encode(secret.encode()).decode()[:40] not in clean.replace("\n", "")


def test_each_line_of_a_secret_is_a_secret() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nabc\nhkiG9w0BAQEFAASC\n-----END KEY-----\n"
    clean = Redactor([key]).text("line: hkiG9w0BAQEFAASC and MIIEvQIBADANBgkq")
    assert clean == f"line: {REDACTED} and {REDACTED}"


def test_a_very_short_secret_is_replaced_only_as_a_whole() -> None:
    redactor = Redactor(["abc"])
    assert redactor.text("abc") == REDACTED
    assert redactor.text("the abc of it") == "the abc of it"


def test_plain_data_is_searched_in_keys_texts_and_numbers() -> None:
    redactor = Redactor(["s3cret-value", "123456"])
    found = redactor.value({"a": ["x s3cret-value", 123456, True, None], "s3cret-value": {"n": 1.5}})
    assert found == {"a": [f"x {REDACTED}", REDACTED, True, None], REDACTED: {"n": 1.5}}


def test_without_secrets_nothing_changes() -> None:
    redactor = Redactor(["", "  ", "\n"])
    assert not redactor
    assert redactor.text("a\nb") == "a\nb"


def test_secrets_can_be_added_later() -> None:
    redactor = Redactor(["first-one"])
    redactor.add(["second-one", "first-one"])
    assert redactor.text("first-one second-one") == f"{REDACTED} {REDACTED}"


def test_secrets_that_come_one_by_one_are_all_taken_out() -> None:
    redactor = Redactor()
    secrets = [f"{number:03}-canary-{number:03}" for number in range(100)]
    for secret in secrets:
        redactor.add([secret])
    assert redactor.text(" ".join(secrets)) == " ".join([REDACTED] * 100)


def test_a_large_secret_is_taken_out_line_by_line() -> None:
    lines = [f'line {number} says "canary"' for number in range(1000)]
    secret = "\n".join(lines)
    redactor = Redactor([secret])
    assert redactor.text(f"x {lines[500]} y {json.dumps(lines[900])}") == f'x {REDACTED} y "{REDACTED}"'
    assert "canary" not in redactor.text(json.dumps(secret))
    assert base64.b64encode(secret.encode()).decode()[:60] not in redactor.text(
        base64.b64encode(secret.encode()).decode()
    )


def test_the_longest_secret_wins() -> None:
    assert Redactor(["hunter2", "hunter2-long"]).text("hunter2-long hunter2") == f"{REDACTED} {REDACTED}"


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=SHORTEST, max_size=40), st.text(max_size=20), st.text(max_size=20))
@example("....", "", "")
@example("a]b^c", "", "")
def test_any_text_is_taken_out(secret: str, before: str, after: str) -> None:
    if len(secret.strip()) < SHORTEST or any(len(line.strip()) < SHORTEST for line in secret.splitlines()):
        return
    if secret.strip() in REDACTED * 3:
        return
    clean = Redactor([secret]).text(f"{before}|{secret}|{after}")
    assert secret not in clean
    assert secret not in Redactor([secret]).text(f"|{json.dumps(secret)}|")
