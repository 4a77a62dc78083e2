"""Taking seals into the store: after a run that ended well, and when somebody says so."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import islice

from bedplate.drift.finding import Cause, FindingQuery, FindingState
from bedplate.drift.managing import RIGHT, hosts_to_seal
from bedplate.drift.repository import DriftRepository
from bedplate.drift.seal import Seal, texts_of
from bedplate.drift.seals import KeptSeal, Sealed, SealRepository
from bedplate.errors import NotFoundError
from bedplate.launch.capturing import Execute
from bedplate.launch.launcher import Launcher
from bedplate.launch.sealing import look, seal_key
from bedplate.runs import LOCAL, Run, RunMode, RunQuery, RunStatus

# So many seals are in memory at a time.
_AT_ONCE = 100
# A host that none of so many runs brought to its product counts as one that none ever did.
_RUNS = 50
_ENDS = (RunStatus.SUCCESSFUL, RunStatus.FAILED)
_OPEN = tuple(state for state in FindingState if state.is_open)


class SealKeeping:
    """Takes seals, and keeps them.

    Args:
        drift: knows what is found on hosts.
        execute: executes the runs that look at hosts: see `capture`.
    """

    def __init__(
        self,
        launcher: Launcher,
        seals: SealRepository,
        drift: DriftRepository,
        execute: Execute | None = None,
    ) -> None:
        self._launcher = launcher
        self._seals = seals
        self._drift = drift
        self._execute = execute

    def is_due(self, run: Run) -> bool:
        """Return whether hosts are sealed after this run by themselves."""
        wanted = run.product in self._launcher.settings.drift.seal_after
        here = run.engine == LOCAL  # only our own callback says what a task manages
        if not (wanted and here and run.mode is RunMode.APPLY and run.status is RunStatus.SUCCESSFUL):
            return False
        return bool(hosts_to_seal(self._launcher.store, run.id))

    def seal_after(self, run: Run) -> Sealed:
        """Seal the hosts of a run that ended well.

        Left out are those with findings that no role manages: no run repairs these, and a seal would accept them.

        Raises:
            StoreError, InventoryError, EngineError, RefusedError, NotFoundError: as `look` says.
        """
        query = FindingQuery(states=_OPEN, product=run.product, hosts=run.hosts)
        extra: dict[str, int] = {}
        for finding in self._drift.find(query):
            if finding.observed.role is None and finding.cause is not Cause.EXPECTED:
                extra[finding.observed.host] = extra.get(finding.observed.host, 0) + 1
        left_out = {
            host: f"{count} finding{'' if count == 1 else 's'} that no role repairs: bedplate drift list --host {host}"
            for host, count in extra.items()
        }
        sealed = Sealed(run.product)
        self._take(run, [host for host in run.hosts if host not in extra], sealed, by_hand=False)
        sealed.failures |= left_out
        return sealed

    def seal_run(self, run_id: str, hosts: Collection[str] | None = None) -> Sealed:
        """Seal the hosts that a run brought to their state; only these where they are named.

        Raises:
            NotFoundError: the run is unknown, or did not bring any host to a state.
            StoreError, InventoryError, EngineError, RefusedError: as `look` says.
        """
        run = self._launcher.store.get(run_id)
        if run.mode is not RunMode.APPLY or run.status not in _ENDS:
            raise NotFoundError(
                f"run {run.id} brought no host to a state: it was {_what(run)}", hint="bedplate runs list shows others"
            )
        sealed = Sealed(run.product)
        self._take(run, hosts, sealed)
        return sealed

    def seal_product(self, product: str, hosts: Sequence[str]) -> Sealed:
        """Seal hosts by the last runs that brought them to a product's state.

        Raises:
            NotFoundError: no run brought any of them there.
            StoreError, InventoryError, EngineError, RefusedError: as `look` says.
        """
        sealed = Sealed(product)
        missing = set(hosts)
        for run in self._launcher.store.find(RunQuery(product=product, statuses=_ENDS, limit=_RUNS)):
            if not missing or run.mode is not RunMode.APPLY or missing.isdisjoint(run.hosts):
                continue
            reached = {one.host for one in self._launcher.store.host_results(run.id) if one.outcome in RIGHT}
            if reached & missing:
                self._take(run, [host for host in hosts if host in reached & missing], sealed)
                missing -= reached
        if not sealed.runs:
            raise NotFoundError(f"no run brought these hosts to {product}", hint=f"bedplate run {product}")
        sealed.failures |= dict.fromkeys(sorted(missing), f"no run brought it to {product}")
        return sealed

    def _take(self, run: Run, hosts: Collection[str] | None, sealed: Sealed, *, by_hand: bool = True) -> None:
        sealing = look(self._launcher, run.id, hosts, execute=self._execute)
        if sealing.run is not None:
            sealed.runs.append(sealing.run.id)
        key = seal_key(self._launcher.settings.home)
        left = sealing.seals()
        while seals := list(islice(left, _AT_ONCE)):
            seals = self._marked(run.product, seals) if by_hand else seals
            texts = {digest: text for seal in seals for digest, text in texts_of(seal.capture).items()}
            new = set(self._seals.put([_kept(seal, run.product, key) for seal in seals], texts))
            sealed.new += [seal.host for seal in seals if seal.host in new]
            sealed.unchanged += [seal.host for seal in seals if seal.host not in new]
        sealed.failures |= sealing.failures

    def _marked(self, product: str, seals: Sequence[Seal]) -> list[Seal]:
        """Return seals as taken by hand; one that says what that of a run says is as good as that."""
        kept = self._seals.kept(product, [seal.host for seal in seals])
        same = {seal.host for seal in seals if seal.host in kept and kept[seal.host].digest == seal.digest}
        return [seal if seal.host in same else replace(seal, by_hand=True) for seal in seals]


def _kept(seal: Seal, product: str, key: bytes) -> KeptSeal:
    return KeptSeal(seal.host, product, seal.run, seal.taken_at, seal.digest, seal.to_text(key), seal.texts)


def _what(run: Run) -> str:
    return "a check" if run.mode is not RunMode.APPLY else run.status.value
