"""Receivers of results as AWX's notification templates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bedplate.awx.export import collection_playbook, import_assets
from bedplate.awx.receivers import Notification, notifications_of
from bedplate.awx.service import wishes
from fake_awx.catalog import Awx, product
from fake_awx.server import awx_server
from fake_awx.state import Fault

HOOK = "jsons://hooks.example.com/x"
MINE = {"notifications": [{"outcomes": ["failed", "successful"], "to": ["ops"]}]}


@pytest.mark.parametrize(
    ("address", "kind", "expected"),
    [
        (
            "jsons://me:pass%20word@h.example.com:8443/a/b?+X-Key=abc&method=put&verify=no",
            "webhook",
            {
                "url": "https://h.example.com:8443/a/b",
                "http_method": "PUT",
                "disable_ssl_verification": True,
                "username": "me",
                "password": "pass word",
                "headers": {"X-Key": "abc"},
            },
        ),
        ("json://h.example.com", "webhook", {"url": "http://h.example.com", "http_method": "POST", "headers": {}}),
        (
            "mailtos://ada:word@example.com?smtp=mail.example.com&to=a@example.com,b@example.com",
            "email",
            {
                "host": "mail.example.com",
                "port": 587,
                "username": "ada",
                "password": "word",
                "use_tls": True,
                "use_ssl": False,
                "sender": "ada@example.com",
                "recipients": ["a@example.com", "b@example.com"],
            },
        ),
        (
            "mailtos://ada:word@example.com?mode=ssl&from=x@example.com",
            "email",
            {
                "port": 465,
                "use_tls": False,
                "use_ssl": True,
                "sender": "x@example.com",
                "recipients": ["x@example.com"],
            },
        ),
        ("slack://xoxb-1-2-abc/ops/dev", "slack", {"token": "xoxb-1-2-abc", "channels": ["ops", "dev"]}),
        ("slack://bot@xoxb-1-2-abc/#ops", "slack", {"token": "xoxb-1-2-abc", "channels": ["ops"]}),
        (
            "mmosts://chat.example.com/sub/tok3n",
            "mattermost",
            {"mattermost_url": "https://chat.example.com/sub/hooks/tok3n", "mattermost_no_verify_ssl": False},
        ),
    ],
)
def test_an_address_in_the_words_of_awx(address: str, kind: str, expected: dict[str, Any]) -> None:
    (found,) = notifications_of("ops", [address]) or ()
    assert (found.name, found.kind) == ("ops", kind)
    assert {key: found.configuration[key] for key in expected} == expected


@pytest.mark.parametrize(
    "address",
    [
        "tgram://token/chat",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops",
        "slack://xoxb-1-2-abc",
        "json://h.example.com?method=get",
        "mailto://example.com",
        "mmost://chat.example.com/",
        "json:///nowhere",
        "",
    ],
)
def test_what_awx_has_no_type_for(address: str) -> None:
    assert notifications_of("ops", [HOOK, address]) is None


def test_each_address_is_a_template_and_none_is_shown() -> None:
    found = notifications_of("ops", [HOOK, "mmost://chat.example.com/tok3n"]) or []
    assert [each.name for each in found] == ["ops", "ops (2)"]
    assert "hush" not in repr(Notification("ops", "slack", {"token": "hush"}))


@pytest.fixture
def awx() -> Iterator[Awx]:
    with awx_server() as fake:
        made = Awx(fake)
        made.furnish()
        made.receivers = {"ops": ("slack://xoxb-first-secret/ops",), "unheard": (HOOK,)}
        yield made
        assert not fake.unexpected


class TestApply:
    def test_a_receiver_is_made_and_attached_at_once(self, awx: Awx) -> None:
        assert not [result for result in awx.apply(product(**MINE)) if result.error]
        made = awx.fake.named("notification_templates", "ops")
        assert (made["notification_type"], made["notification_configuration"]["channels"]) == ("slack", ["ops"])
        related = awx.fake.named("job_templates", "sample")["related"]
        assert related["notification_templates_success"] == related["notification_templates_error"] == [made["id"]]
        assert awx.lines(product(**MINE)) == []
        assert [each["name"] for each in awx.fake.objects["notification_templates"].values()] == ["chat", "ops"]

    def test_a_template_that_is_there_already_gets_a_new_receiver_in_one_go(self, awx: Awx) -> None:
        awx.apply(product())
        awx.apply(product(**MINE))
        assert awx.lines(product(**MINE)) == []

    def test_its_secret_is_sent_again_only_when_it_changed(self, awx: Awx) -> None:
        awx.apply(product(**MINE))
        awx.fake.requests.clear()
        awx.apply(product(**MINE))
        assert not awx.fake.asked("PATCH")
        awx.receivers["ops"] = ("slack://xoxb-second-secret/ops",)
        assert awx.lines(product(**MINE)) == ["update notification_template ops secrets"]
        awx.apply(product(**MINE))
        made = awx.fake.named("notification_templates", "ops")
        assert made["notification_configuration"]["token"] == "xoxb-second-secret"
        awx.receivers["ops"] = (HOOK,)
        assert awx.lines(product(**MINE)) == ["update notification_template ops notification_type secrets"]
        awx.apply(product(**MINE))
        assert awx.lines(product(**MINE)) == []
        assert "secret" not in repr(awx.plan(product(**MINE)))

    def test_what_awx_shows_of_it_is_set_back_and_never_printed(self, awx: Awx) -> None:
        awx.receivers["ops"] = ("jsons://me:first-secret@hooks.example.com/x?+X-Key=second-secret",)
        awx.apply(product(**MINE))
        made = awx.fake.named("notification_templates", "ops")
        before = dict(made["notification_configuration"])
        awx.fake.edit("notification_templates", made["id"], notification_configuration={**before, "headers": {}})
        lines = awx.lines(product(**MINE))
        assert lines == ["update notification_template ops notification_configuration.headers"]
        assert "secret" not in str([each.differences for each in awx.plan(product(**MINE)).changes])
        awx.apply(product(**MINE))
        assert awx.fake.named("notification_templates", "ops")["notification_configuration"] == before
        assert awx.lines(product(**MINE)) == []

    def test_one_of_the_name_that_was_made_by_hand_is_used(self, awx: Awx) -> None:
        heard = {"notifications": [{"outcomes": ["failed"], "to": ["chat"]}]}
        awx.receivers["chat"] = (HOOK,)
        awx.apply(product(**heard))
        made = awx.fake.named("notification_templates", "chat")
        assert made["notification_configuration"]["token"] == "xoxb-by-hand"
        assert awx.fake.named("job_templates", "sample")["related"]["notification_templates_error"] == [made["id"]]

    def test_one_that_awx_refuses_does_not_hold_up_the_product(self, awx: Awx) -> None:
        awx.fake.faults = [Fault("POST", "/notification_templates/$", 400, '{"detail": "No."}')]
        (failed,) = [result for result in awx.apply(product(**MINE)) if result.error]
        assert failed.change.name == "ops"
        assert awx.fake.named("job_templates", "sample")
        awx.apply(product(**MINE))
        assert awx.lines(product(**MINE)) == []

    def test_an_address_that_awx_has_no_type_for_is_said(self, awx: Awx) -> None:
        awx.receivers["ops"] = ("tgram://hush-token/chat",)
        notes = awx.plan(product(**MINE)).notes
        assert "AWX has no type of notification for the receiver ops; one made by hand of this name is used" in notes
        assert "hush" not in str(notes)


def test_exported_files_have_none_of_it(awx: Awx) -> None:
    wanted = wishes(awx.settings, [product(**MINE)], awx.receivers)
    text = f"{collection_playbook(wanted)}{import_assets(wanted)}"
    assert "xoxb" not in text
    assert "awx.awx.notification_template'" not in text
