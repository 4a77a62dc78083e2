"""Which groups a fleet has, how they are nested, and which hosts stand directly in which.

A region contains its child regions and its sites; a site contains its locations and racks. A host stands in the
innermost groups of its place and in one group for each of class, cluster, role, platform, tenant, status and tag.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Collection, Dict, List, Mapping, Optional, Tuple

from .faults import InventoryError
from .names import group_name

Record = Mapping[str, Any]

CONTEXT_ONLY = "context_only"
_PLACES_OF_A_SITE = ("location", "rack")
KINDS = ("class", "region", "site", "location", "rack", "cluster", "role", "platform", "tenant", "status", "tag")
_PLAIN_KINDS = ("class", "cluster", "role", "platform", "tenant", "status")


class GroupPlan:
    """The groups of a fleet.

    Attributes:
        members: group name → names of the hosts that stand directly in it.
        children: group name → names of the groups that it contains, in order of appearance.
    """

    def __init__(self) -> None:
        self.members: Dict[str, List[str]] = {}
        self.children: Dict[str, Dict[str, None]] = {}
        self._names: Dict[Tuple[str, str, str], str] = {}
        self._origins: Dict[str, str] = {}
        self._meetings: Dict[str, None] = {}

    def name_of(self, kind: str, slug: str, within: str = "") -> str:
        """Return the group of a slug, and remember when something else has the same group.

        Args:
            within: what the slug is unique in: a rack's or location's site, a region's parents.
        """
        known = self._names.get((kind, slug, within))
        if known is not None:
            return known
        name = group_name(kind, place_slug(within, slug) if kind in _PLACES_OF_A_SITE else slug)
        self._names[kind, slug, within] = name
        origin = "%s %r%s" % (kind, slug, " in %s" % within if within else "")
        first = self._origins.setdefault(name, origin)
        if first != origin:
            self._meetings["%s and %s are both %s" % (first, origin, name)] = None
        self.members.setdefault(name, [])
        return name

    def nest(self, parent: str, child: str) -> None:
        """Put one group into another."""
        self.children.setdefault(parent, {})[child] = None

    def check(self) -> None:
        """Raise InventoryError if two different slugs have the same group name, and name both."""
        if self._meetings:
            raise InventoryError(
                "two names meet in one group: %s" % "; ".join(self._meetings),
                hint="rename one of each pair in NetBox, or leave this kind of group out of group_by",
            )


def plan_groups(hosts: Mapping[str, Record], kinds: Collection[str] = KINDS) -> GroupPlan:
    """Return the groups of a fleet.

    Args:
        kinds: which kinds of groups are made.

    Raises:
        InventoryError: two different slugs have the same group name.
    """
    plan = GroupPlan()
    plain = [kind for kind in _PLAIN_KINDS if kind in kinds]
    places: Dict[Tuple[Any, ...], List[str]] = {}
    for name, record in hosts.items():
        place = (tuple(record["region"]), record["site"], record["location"], record["rack"])
        if place not in places:
            places[place] = _nest_place(plan, record, kinds)
        for group in places[place]:
            plan.members[group].append(name)
        for kind in plain:
            slug = record[kind]
            if slug:
                plan.members[plan.name_of(kind, slug)].append(name)
        for tag in record["tags"] if "tag" in kinds else ():
            plan.members[plan.name_of("tag", tag)].append(name)
        if record.get(CONTEXT_ONLY):
            plan.members.setdefault(CONTEXT_ONLY, []).append(name)
    plan.check()
    return plan


def failure_domain(record: Record) -> List[str]:
    """Return the groups whose hosts can fail together with this one, from the largest to the smallest."""
    domain = [group_name("region", slug) for slug in record["region"]]
    if record["site"]:
        domain.append(group_name("site", record["site"]))
    if record["rack"]:
        domain.append(group_name("rack", place_slug(record["site"], record["rack"])))
    elif record["cluster"]:
        domain.append(group_name("cluster", record["cluster"]))
    return domain


@lru_cache(maxsize=65536)
def place_slug(site: Optional[str], name: str) -> str:
    """Return the name of a rack or location with its site in front, unless it begins with that already.

    Racks and locations are only unique within their site, so `r01` of two sites must not be one group.
    """
    if not site or re.match(re.escape(site) + r"[\W_]", name, re.IGNORECASE):
        return name
    return "%s_%s" % (site, name)


def _nest_place(plan: GroupPlan, record: Record, kinds: Collection[str]) -> List[str]:
    """Lay out the groups of one place and return those that a host there stands in directly."""
    outer: Optional[str] = None
    path = ""
    for slug in record["region"] if "region" in kinds else ():
        outer = _nest(plan, outer, plan.name_of("region", slug, within=path))
        path = "%s/%s" % (path, slug) if path else slug
    if record["site"] and "site" in kinds:
        outer = _nest(plan, outer, plan.name_of("site", record["site"]))
    inmost = [
        _nest(plan, outer, plan.name_of(kind, record[kind], within=record["site"] or ""))
        for kind in _PLACES_OF_A_SITE
        if record[kind] and kind in kinds
    ]
    return inmost or ([outer] if outer is not None else [])


def _nest(plan: GroupPlan, outer: Optional[str], inner: str) -> str:
    if outer is not None and outer != inner:
        plan.nest(outer, inner)
    return inner
