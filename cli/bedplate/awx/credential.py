"""Who we are to AWX: a token or a password, from the environment, a file or the keyring."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bedplate.errors import SettingsError
from bedplate.settings import AwxSettings

TOKEN = "BEDPLATE_AWX_TOKEN"  # noqa: S105 (names of variables)
PASSWORD = "BEDPLATE_AWX_PASSWORD"  # noqa: S105
KEYRING_SERVICE = "bedplate-awx"


@dataclass(frozen=True)
class Credential:
    """The header that each request carries; it is never shown."""

    authorization: str = field(repr=False)


def find_credential(settings: AwxSettings, env: Mapping[str, str]) -> Credential:
    """Return the first of: the variables, the files, the keyring.

    Raises:
        SettingsError: there is none, or a file cannot be read or can be read by others.
    """
    if env.get(TOKEN):
        return _bearer(env[TOKEN])
    if settings.user and env.get(PASSWORD):
        return _basic(settings.user, env[PASSWORD])
    if settings.token_file:
        return _bearer(read_secret(settings.token_file, "awx.token_file"))
    if settings.user and settings.password_file:
        return _basic(settings.user, read_secret(settings.password_file, "awx.password_file"))
    if settings.keyring:
        secret = _from_keyring(settings)
        return _basic(settings.user, secret) if settings.user else _bearer(secret)
    raise SettingsError(
        "there is neither a token nor a password for AWX",
        hint=f"set {TOKEN}, awx.token_file, awx.keyring, or awx.user with {PASSWORD} or awx.password_file",
    )


def read_secret(file: str, setting: str) -> str:
    """Return the one line of a file that only its owner can read."""
    path = Path(file).expanduser()
    try:
        if path.stat().st_mode & 0o077:
            raise SettingsError("can be read by others", where=f"{setting} {path}", hint=f"chmod 600 {path}")
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror}", where=f"{setting} {path}") from error
    except UnicodeDecodeError as error:
        raise SettingsError("is not text", where=f"{setting} {path}") from error
    if not secret or not secret.isprintable():
        raise SettingsError("must hold one line", where=f"{setting} {path}")
    return secret


def _from_keyring(settings: AwxSettings) -> str:
    try:
        import keyring  # noqa: PLC0415 (an extra)
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ImportError as error:
        hint = "pip install 'bedplate[keyring]'"
        raise SettingsError("the keyring package is missing", where="awx.keyring", hint=hint) from error
    account = settings.user or settings.url
    try:
        secret = keyring.get_password(KEYRING_SERVICE, account)
    except KeyringError as error:
        raise SettingsError(f"the keyring cannot be read: {error}", where="awx.keyring") from error
    if not secret:
        hint = f"keyring set {KEYRING_SERVICE} {account}"
        raise SettingsError(f"the keyring has nothing for {account}", where="awx.keyring", hint=hint)
    return secret


def _bearer(token: str) -> Credential:
    return Credential(f"Bearer {token.strip()}")


def _basic(user: str, password: str) -> Credential:
    return Credential("Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())
