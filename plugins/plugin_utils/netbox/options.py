"""From the plugin's options to what the parts of a read need."""

from __future__ import annotations

import hashlib
import os
from typing import Any, Callable, Dict, List, Optional

from .classes import ClassRule
from .client import Endpoint
from .faults import InventoryError
from .filters import Filter, parse_filters
from .gate import Limits
from .populate import Shape
from .query import KINDS, Query

_CLASS_OPTIONS = ("class_from", "class_map", "class_field", "class_default")


class Options:
    """The options of one inventory file.

    Args:
        get: returns an option's value; texts that may be templates are templated already.
        folder: where the inventory file is; relative paths start there.
    """

    def __init__(self, get: Callable[[str], Any], folder: str) -> None:
        self._get = get
        self._folder = folder

    @property
    def snapshot(self) -> Optional[str]:
        """The snapshot file that serves instead of NetBox."""
        return self._path("snapshot")

    @property
    def refresh(self) -> bool:
        return bool(self._get("refresh"))

    @property
    def full(self) -> bool:
        return bool(self._get("full"))

    @property
    def prefixes(self) -> bool:
        return bool(self._get("prefixes"))

    @property
    def transport(self) -> str:
        return str(self._get("transport"))

    @property
    def page_size(self) -> int:
        """Raises InventoryError if it is not positive."""
        size = int(self._get("page_size"))
        if size < 1:
            raise InventoryError("must be at least 1, not %d" % size, where="page_size")
        return size

    def endpoint(self) -> Endpoint:
        """Return where NetBox is. Raises InventoryError if that is not said, or a file cannot be read."""
        url = self._get("api_endpoint")
        if not url:
            raise InventoryError("there is neither api_endpoint (or NETBOX_URL) nor a snapshot to read hosts from")
        headers = self._get("headers") or {}
        return Endpoint(
            str(url),
            token=self._token(),
            headers={str(name): str(value) for name, value in headers.items()},
            validate_certs=bool(self._get("validate_certs")),
            ca_path=self._path("ca_path"),
            timeout=_positive("timeout", self._get("timeout")),
            retries=max(0, int(self._get("retries"))),
        )

    def query(self) -> Query:
        """Return what is asked for. Raises InventoryError if a filter has no such form."""
        asked: List[str] = self._get("types")
        for kind in asked:
            if kind not in KINDS:
                raise InventoryError("unknown type %r" % kind, where="types", hint="known are %s" % ", ".join(KINDS))
        both = self._filters("query_filters")
        filters: Dict[str, List[Filter]] = {
            "device": both + self._filters("device_query_filters"),
            "virtual_machine": both + self._filters("vm_query_filters"),
        }
        return Query(
            [kind for kind in KINDS if kind in asked],
            filters,
            self._get("statuses"),
            config_context=bool(self._get("config_context")),
            services=bool(self._get("services")),
            interfaces=bool(self._get("interfaces")),
            classes=[self._get(option) for option in _CLASS_OPTIONS],
        )

    def class_rule(self) -> ClassRule:
        """Return how hosts get their class. Raises InventoryError if a class or source is not known."""
        return ClassRule(
            self._get("class_from"), self._get("class_map") or {}, self._get("class_field"), self._get("class_default")
        )

    def shape(self) -> Shape:
        """Return how records become hosts. Raises InventoryError if a value is not known."""
        skip = self._get("hosts_without_address") == "skip"
        return Shape(self._get("ansible_host_from"), skip, self._get("group_by"))

    def limits(self) -> Limits:
        """Return when a snapshot may serve and be replaced."""
        return Limits(
            cache_ttl=float(self._get("cache_ttl")),
            stale_if_error=bool(self._get("stale_if_error")),
            stale_max_age=float(self._get("stale_max_age")),
            shrink_limit=float(self._get("shrink_limit")),
            shrink_minimum=int(self._get("shrink_minimum")),
            accept_shrink=bool(self._get("accept_shrink")),
            allow_empty=self.allow_empty,
            full_read_after=float(self._get("full_read_after")),
        )

    @property
    def allow_empty(self) -> bool:
        return bool(self._get("allow_empty"))

    def snapshot_path(self, url: str, query: Query) -> str:
        """Return where the last good snapshot of a query is kept."""
        given = self._path("snapshot_path")
        if given:
            return given
        digest = hashlib.sha256(("%s %s" % (url, query.digest())).encode("utf-8")).hexdigest()[:16]
        return os.path.join(_state_folder(), "snapshots", "%s.json" % digest)

    def _filters(self, option: str) -> List[Filter]:
        return parse_filters(option, self._get(option) or [])

    def _token(self) -> Optional[str]:
        token, path = self._get("token"), self._path("token_file")
        if token or not path:
            return str(token) if token else None
        try:
            with open(path, encoding="utf-8") as file:
                token = file.read().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InventoryError("cannot read the token: %s" % type(error).__name__, where=path) from None
        if not token:
            raise InventoryError("there is no token in this file", where=path)
        return token

    def _path(self, option: str) -> Optional[str]:
        value = self._get(option)
        return os.path.join(self._folder, os.path.expanduser(str(value))) if value else None


def _positive(option: str, value: float) -> float:
    if float(value) <= 0:
        raise InventoryError("must be more than 0, not %s" % value, where=option)
    return float(value)


def _state_folder() -> str:
    home = os.environ.get("BEDPLATE_HOME")
    if home:
        return os.path.abspath(os.path.expanduser(home))
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return os.path.join(os.path.abspath(os.path.expanduser(base)), "bedplate")
