"""Seals that follow what a tracked run's tasks wrote: after such a run, before anybody can have changed it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bedplate.drift.capture import CaptureError
from bedplate.drift.following import followed, following_request, written
from bedplate.drift.managed import Resource
from bedplate.drift.managing import hosts_to_seal, seal_from_run
from bedplate.drift.seal import Intent, Seal
from bedplate.drift.seals import KeptSeal, SealRepository
from bedplate.launch.capturing import Captures, Execute, capture
from bedplate.launch.launcher import Launcher
from bedplate.launch.seal_renewal import Renewed, SealRenewal
from bedplate.launch.sealing import intents, seal_key
from bedplate.runs import HostOutcome, Run

# All that an observer's baseline has from the rest of the fleet is as it should be after a run of this product.
_OF_THE_FLEET = "observe"


@dataclass(frozen=True)
class _Followable:
    """A host's seal of one product, with what a run wrote of it and what the host is meant to be."""

    kept: KeptSeal
    seal: Seal
    resources: list[Resource]
    intent: Intent


class SealFollowing:
    """Takes over into seals what a run of `drift.renew_after` wrote, and nothing else.

    Args:
        execute: executes the run that looks: see `capture`.
    """

    def __init__(self, launcher: Launcher, seals: SealRepository, execute: Execute | None = None) -> None:
        self._launcher = launcher
        self._seals = seals
        self._execute = execute

    def follow(self, run: Run) -> Renewed:
        """Take over what a run wrote that is due (`SealRenewal.is_due`), where anything of it is another than sealed.

        Raises:
            StoreError, InventoryError, EngineError, RefusedError, NotFoundError: the hosts cannot be looked at.
        """
        result = Renewed()
        found = list(self._followable(run, result))
        resources: dict[str, dict[tuple[str, str], Resource]] = {}
        for one in found:
            known = resources.setdefault(one.kept.host, {})
            known.update({(each.kind, each.key): each for each in one.resources})
        if not resources:
            return result
        requests = (following_request(wanted.values()) for wanted in resources.values())
        reason = f"seals anew: what run {run.id} wrote"
        looked = capture(self._launcher, list(resources), requests, reason=reason, execute=self._execute)
        result.runs.append(looked.run)
        fresh = list(self._fresh(found, looked, result))
        result.hosts += self._seals.renew(fresh)
        looked.discard()
        return result

    def _followable(self, run: Run, result: Renewed) -> Iterator[_Followable]:
        hosts = hosts_to_seal(self._launcher.store, run.id)
        products = sorted({product for product, _ in self._seals.taken(hosts)})
        managed = {host: seal_from_run(self._launcher.store, run.id, host).resources for host in hosts}
        changed = {one.host for one in self._launcher.store.host_results(run.id) if one.outcome is HostOutcome.CHANGED}
        meant = intents(self._launcher.adapter, hosts, run.content_digest) if products else {}
        for product in products:
            for host, kept, seal in SealRenewal(self._launcher, self._seals).opened(product, hosts, result):
                resources = written(seal, managed[host])
                intent = _intent(run, seal, meant)
                if resources and (host in changed or intent != seal.intent):
                    yield _Followable(kept, seal, resources, intent)

    def _fresh(self, found: list[_Followable], looked: Captures, result: Renewed) -> Iterator[tuple[KeptSeal, str]]:
        key = seal_key(self._launcher.settings.home)
        for one in found:
            host = one.kept.host
            try:
                now = looked.of(host)
            except CaptureError as error:
                result.failures[host] = str(error)
                continue
            other = one.seal.capture.identity.difference(now.identity)
            if other:
                result.failures[host] = f"it is another machine: {other}"
                continue
            new = followed(one.seal, now, one.resources, one.intent)
            yield replace(one.kept, digest=new.digest, signed=new.to_text(key)), one.kept.digest


def _intent(run: Run, seal: Seal, meant: Mapping[str, Intent]) -> Intent:
    """Return what a host is known to be meant to be: where nothing but the fleet is another, a run may say so."""
    now = meant[seal.host]
    follows = run.product == _OF_THE_FLEET and replace(now, fleet=seal.intent.fleet) == seal.intent
    return now if follows else seal.intent
