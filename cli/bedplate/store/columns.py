"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, TIMESTAMP, BigInteger, Dialect, Text, TypeDecorator
from sqlalchemy.types import LargeBinary, TypeEngine

from bedplate.store.payload import pack_names, unpack_names

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Json = JSON(none_as_null=True)


class UtcTime(TypeDecorator[datetime]):
    """A moment, always aware and in UTC: `timestamptz` on PostgreSQL, microseconds since 1970 on SQLite."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone: {value!r}")
        if dialect.name == "postgresql":
            return value.astimezone(UTC)
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: datetime | int | None, dialect: Dialect) -> datetime | None:
        del dialect
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return _EPOCH + value * _MICROSECOND


class PlainText(TypeDecorator[str]):
    """Text that every database takes: NUL and lone surrogates (bytes that are no UTF-8) become U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        del dialect
        return None if value is None else plain_text(value)


class PathText(TypeDecorator[Path]):
    """A path, kept byte for byte where it is valid text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Path | None, dialect: Dialect) -> str | None:
        del dialect
        return None if value is None else plain_text(str(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Path | None:
        del dialect
        return None if value is None else Path(value)


class PackedNames(TypeDecorator[tuple[str, ...]]):
    """An ordered list of names, compressed."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> bytes:
        del dialect
        return pack_names(value or ())

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> tuple[str, ...]:
        del dialect
        return unpack_names(value) if value else ()


def plain_text(text: str) -> str:
    """Return text without NUL and lone surrogates."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\0", "\ufffd")
