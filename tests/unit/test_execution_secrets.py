"""What counts as secret: what was vaulted, and what the environment holds."""

from __future__ import annotations

from bedplate.execution.secrets import secrets_in, secrets_in_environment


def test_values_of_a_vaulted_file_are_secret_and_names_are_not() -> None:
    text = "db_password: hunter2-long\nnested:\n  - {key: other-value, on: true, port: 5432}\nx: !unsafe tagged-value\n"
    assert set(secrets_in(text)) == {"hunter2-long", "other-value", "5432", "tagged-value"}


def test_vaulted_text_is_secret_as_a_whole() -> None:
    assert list(secrets_in("just a password")) == ["just a password"]
    key = "-----BEGIN KEY-----\nabc: def: ghi\n"
    assert list(secrets_in(key)) == [key]


def test_the_environment_s_secrets_are_known_by_name_or_place() -> None:
    environment = {
        "NETBOX_TOKEN": "0123456789abcdef",
        "ANSIBLE_VAULT_PASSWORD_FILE": "/home/me/.vault-password",
        "MY_API_KEY": "short",
        "BEDPLATE_STORE_URL": "postgresql://me:pa55word@db.example.com/bedplate",
        "PATH": "/usr/bin:/bin",
    }
    assert set(secrets_in_environment(environment)) == {"0123456789abcdef", "pa55word"}
