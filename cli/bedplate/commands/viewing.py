"""Which products are shown to whom: `access.view`. The teams are read only where a product asks for them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

import click

from bedplate.errors import RefusedError

if TYPE_CHECKING:
    from bedplate.catalog import Product
    from bedplate.persons import Person
    from bedplate.settings import Settings
    from bedplate.teams import Teams


class Viewer:
    """The person who calls, and what that person is to see."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def sees(self, view: Iterable[str] | None) -> bool:
        """Return whether a product with these teams in `access.view` is to be shown. Raises as `person`."""
        return view is None or self.person.may_see(view)

    def visible(self, products: Iterable[Product]) -> list[Product]:
        """Return the products that are to be shown, and tell on standard error of the others."""
        every = list(products)
        shown = [product for product in every if self.sees(product.access.view)]
        hidden = len(every) - len(shown)
        if hidden:
            what = "1 product is" if hidden == 1 else f"{hidden} products are"
            click.echo(f"bedplate: left out: {what} not for {self.person.name} to see", err=True)
        return shown

    def check(self, product: Product) -> None:
        """Raise RefusedError if the product is not to be shown; says who can help."""
        view = product.access.view
        if view is None or self.sees(view):
            return
        person, owner = self.person, product.owner
        sentence = (
            f"refused by access: {product.name} is for {' or '.join(view)} to see; {person.name} {person.standing}"
        )
        reach = self._teams.reach(view) if self._teams else " or ".join(view)
        raise RefusedError(sentence, hint=f"ask {reach}, or team {owner.team}, {owner.contact}, to let you")

    @cached_property
    def _teams(self) -> Teams | None:
        from bedplate.teams import load_teams

        return load_teams(self._settings)

    @cached_property
    def person(self) -> Person:
        """Who calls. Raises SettingsError, or RefusedError for a name that is not who the operating system says."""
        from bedplate.persons import person_among

        person = person_among(self._teams, self._settings)
        if person.listed and not person.trusted:
            raise RefusedError(
                f"refused by identity: access.user says {person.name}, the operating system says {person.login}",
                hint="leave access.user out where a teams file says who is who",
            )
        return person
