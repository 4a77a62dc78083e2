"""What one does with AWX: work out what is wanted, plan, apply, and bring in what ran there."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from bedplate.awx.applying import Applier
from bedplate.awx.catalog import Wishes, wishes_of
from bedplate.awx.client import AwxClient
from bedplate.awx.comparison import Plan, compare
from bedplate.awx.credential import find_credential, read_secret
from bedplate.awx.reading import read_actual
from bedplate.awx.site import Site
from bedplate.awx.syncing import Syncing
from bedplate.catalog import Product
from bedplate.engine_runs import EngineRunRepository
from bedplate.errors import SettingsError
from bedplate.execution.executor import RunEnd
from bedplate.runs import RunRepository
from bedplate.settings import AwxSettings


@contextmanager
def planned(
    settings: AwxSettings,
    products: Iterable[Product],
    *,
    surveys: bool = False,
    receivers: Mapping[str, tuple[str, ...]] | None = None,
    env: Mapping[str, str] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[tuple[Plan, Applier]]:
    """Read an AWX and give the plan, and what can carry it out.

    Args:
        surveys: read every survey, not only those of templates that somebody else wrote last.
        receivers: apprise's addresses of those who hear of results, by name.
        sleep: waits so many seconds.

    Raises:
        SettingsError: there is no address, token or password.
        EngineError: AWX cannot be reached or refuses.
    """
    wanted = wishes(settings, products, receivers)
    credential = find_credential(settings, os.environ if env is None else env)
    with AwxClient(settings, credential, sleep) as client:
        actual = read_actual(client, wanted, surveys=surveys)
        yield compare(wanted, actual), Applier(client, actual, sleep)


def wishes(
    settings: AwxSettings, products: Iterable[Product], receivers: Mapping[str, tuple[str, ...]] | None = None
) -> Wishes:
    """Return what these products want of an AWX today. Raises SettingsError if a file cannot be read."""
    return wishes_of(products, site_of(settings, receivers or {}), datetime.now(UTC).date())


def site_of(settings: AwxSettings, receivers: Mapping[str, tuple[str, ...]]) -> Site:
    """Return what the settings say of the objects that all products share."""
    if settings.netbox_url and not settings.netbox_token_file:
        hint = "a file with a token that may read NetBox"
        raise SettingsError("is not set, but awx.netbox_url is", where="awx.netbox_token_file", hint=hint)
    token = read_secret(settings.netbox_token_file, "awx.netbox_token_file") if settings.netbox_url else ""
    return Site(
        organization=settings.organization,
        project=settings.project,
        project_url=settings.project_url,
        project_branch=settings.project_branch,
        inventory=settings.inventory,
        inventory_source=settings.inventory_source,
        netbox_url=settings.netbox_url,
        netbox_token=token,
        execution_environment=settings.execution_environment,
        credentials=settings.credentials,
        receivers=receivers,
    )


@contextmanager
def syncing(
    settings: AwxSettings,
    products: Iterable[Product],
    store: RunRepository,
    kept: EngineRunRepository,
    exit_codes: Mapping[RunEnd, int],
    *,
    env: Mapping[str, str] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Syncing]:
    """Give what brings in the runs that were launched in an AWX.

    Args:
        store, kept: where runs are, and which of AWX's jobs they are.
        exit_codes: what to keep as exit code for each end.
        sleep: waits so many seconds.

    Raises:
        SettingsError: there is no address, token or password.
    """
    credential = find_credential(settings, os.environ if env is None else env)
    with AwxClient(settings, credential, sleep) as client:
        yield Syncing(client, store, kept, {each.name: each for each in products}, exit_codes, sleep)
