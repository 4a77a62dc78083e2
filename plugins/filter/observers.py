# Copyright The Bedplate developers
# Apache License 2.0 (see LICENSE)
"""Filters about observers: which one watches which host."""

from __future__ import absolute_import, annotations, division, print_function

from collections.abc import Callable, Mapping

from ansible.errors import AnsibleFilterError
from ansible_collections.bedplate.datacenter.plugins.plugin_utils import observers


def _named(function: Callable[..., object]) -> Callable[..., object]:
    """Turn a host that the inventory does not have into one clear sentence."""

    def called(*args: object, **kwargs: object) -> object:
        try:
            return function(*args, **kwargs)
        except KeyError as error:
            raise AnsibleFilterError(f"{function.__name__}: the inventory has no host {error}") from error

    return called


class FilterModule:
    """The filters of this file, by name."""

    def filters(self) -> Mapping[str, Callable[..., object]]:
        """Return each filter under its name."""
        functions = (
            observers.certificate_names,
            observers.has_certificate,
            observers.host_addresses,
            observers.log_senders,
            observers.nearest_observers,
            observers.observed_hosts,
            observers.peer_targets,
            observers.probe_targets,
            observers.scrape_targets,
            observers.sender_names,
        )
        return {function.__name__: _named(function) for function in functions}
