"""What an installation says about its AWX: names, places and secrets, besides the catalog."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Site:
    """The objects that all products share.

    Attributes:
        project_url: git URL of the content; empty where the project is kept by somebody else.
        inventory_source: a file of the project that reads NetBox; empty where the inventory is kept by somebody else.
        netbox_url, netbox_token: what the inventory source gets as environment; empty for none.
        execution_environment: an image; empty for AWX's own.
        credentials: names of credentials, made by hand, that each template gets, such as the SSH key.
        receivers: apprise's addresses of those who hear of results, by name; they are secret.
    """

    organization: str = "Bedplate"
    project: str = "Bedplate"
    project_url: str = ""
    project_branch: str = ""
    inventory: str = "Bedplate"
    inventory_source: str = ""
    netbox_url: str = ""
    netbox_token: str = ""
    execution_environment: str = ""
    credentials: tuple[str, ...] = ()
    receivers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Site(organization={self.organization!r}, project={self.project!r})"
