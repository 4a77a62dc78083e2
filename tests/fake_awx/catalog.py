"""Products to bring to a fake AWX, and the settings that lead there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bedplate.awx.applying import Applier, Result
from bedplate.awx.comparison import Plan
from bedplate.awx.credential import TOKEN as TOKEN_VARIABLE
from bedplate.awx.service import planned
from bedplate.catalog import Product
from bedplate.settings import AwxSettings
from fake_awx.server import TOKEN
from fake_awx.state import FakeAwx

PARAMETERS = [
    {"name": "size", "type": "choice", "title": "Size", "choices": ["small", "large"], "required": True},
    {"name": "wait", "type": "duration", "title": "Wait", "default": "5m", "min": "1m", "max": "1h"},
    {"name": "reboot", "type": "boolean", "title": "Reboot", "default": True},
]


def product(name: str = "sample", **change: Any) -> Product:
    """Return a product of the playbook that the fake's project has."""
    manifest = {
        "name": name,
        "title": name.capitalize(),
        "summary": f"Does {name}.",
        "owner": {"team": "platform", "contact": "#platform"},
        "lifecycle": {"stage": "ga"},
        "playbook": "playbooks/ping.yml",
        "parameters": PARAMETERS,
        **change,
    }
    return Product.model_validate(manifest)


class Awx:
    """A fake AWX with what people make by hand: a team, a notification template, an SSH key."""

    def __init__(self, fake: FakeAwx, **settings: Any) -> None:
        self.fake = fake
        self.waits: list[float] = []
        self.receivers: dict[str, tuple[str, ...]] = {}
        given = {"project_url": "https://git.example.com/content.git", "inventory_source": "inventories/awx/netbox.yml"}
        self.settings = AwxSettings(url=fake.url, **{**given, **settings})

    def furnish(self) -> None:
        organization = self.fake.add("organizations", name="Bedplate")["id"]
        self.fake.add("teams", name="web", organization=organization)
        self.fake.add("teams", name="platform", organization=organization)
        kind = self.fake.add("credential_types", name="Machine", kind="cloud")["id"]
        self.fake.add("credentials", name="ssh", organization=organization, credential_type=kind)
        made = {
            "notification_type": "slack",
            "notification_configuration": {"token": "xoxb-by-hand", "channels": ["c"]},
        }
        self.fake.add("notification_templates", name="chat", organization=organization, **made)

    @contextmanager
    def planned(self, *products: Product, surveys: bool = False) -> Iterator[tuple[Plan, Applier]]:
        env = {TOKEN_VARIABLE: TOKEN}
        with planned(
            self.settings, products, surveys=surveys, receivers=self.receivers, env=env, sleep=self.waits.append
        ) as both:
            yield both

    def plan(self, *products: Product, surveys: bool = False) -> Plan:
        with self.planned(*products, surveys=surveys) as (plan, _):
            return plan

    def apply(self, *products: Product, prune: bool = False) -> list[Result]:
        with self.planned(*products) as (plan, applier):
            return list(applier.apply(plan, prune=prune))

    def lines(self, *products: Product, surveys: bool = False) -> list[str]:
        """The plan in short: action, kind, name and fields."""
        return [
            " ".join([change.action, change.kind.name, change.name, *(each.field for each in change.differences)])
            for change in self.plan(*products, surveys=surveys).changes
        ]
