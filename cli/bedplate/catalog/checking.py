"""What is wrong with a product beyond its manifest: playbook, documentation, dates, parameters that nothing reads."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from bedplate.catalog.batch_keys import BATCH_KEYS, unread_keys, variables_of
from bedplate.catalog.faults import ManifestFault, key_text
from bedplate.catalog.reading import Manifest, display
from bedplate.catalog.schedule_check import schedule_faults
from bedplate.catalog.variables import variable_faults
from bedplate.catalog.yaml_tree import YamlError, YamlTree, parse_yaml
from bedplate.teams import Teams

VALIDATION = "bedplate.datacenter.validate_parameters"
_ROLE = re.compile(r"\bbedplate\.datacenter\.([a-z][a-z0-9_]*)")
_PLAYBOOK = re.compile(r"import_playbook:\s*[\"']?(?:bedplate\.datacenter\.)?([a-z][a-z0-9_]*)(?:\.yml)?")
_READ_SUFFIXES = frozenset({".yml", ".yaml", ".j2", ".py"})
EVERYBODY = "all"
_TEST_FOLDERS = frozenset({"molecule", "tests"})


def check_product(
    manifest: Manifest,
    root: Path,
    products: Collection[str],
    today: date,
    *,
    docs: bool = True,
    teams: Teams | None = None,
) -> list[ManifestFault]:
    """Return what is wrong with a product whose manifest can be read.

    Args:
        manifest: the manifest, with the places of its keys.
        root: the root of the collection, where playbooks/ and roles/ are.
        products: the names of all products.
        today: the day on which a sunset has passed or not.
        docs: whether the documentation is there to be looked at.
        teams: the teams that there are; None where nobody knows.
    """
    return [
        *_date_faults(manifest, products, today),
        *(_team_faults(manifest, teams) if teams is not None else ()),
        *(_docs_faults(manifest, root) if docs else ()),
        *_playbook_faults(manifest, root),
        *_unread_faults(manifest, root),
        *_batch_faults(manifest, root),
        *variable_faults(manifest, root),
        *schedule_faults(manifest),
    ]


def _date_faults(manifest: Manifest, products: Collection[str], today: date) -> Iterator[ManifestFault]:
    lifecycle = manifest.product.lifecycle
    if lifecycle.sunset and lifecycle.sunset < today:
        yield manifest.fault(("lifecycle", "sunset"), f"has passed: the last day was {lifecycle.sunset}")
    if lifecycle.replaced_by and lifecycle.replaced_by not in products:
        yield manifest.fault(("lifecycle", "replaced_by"), f"there is no product {lifecycle.replaced_by}")


def _team_faults(manifest: Manifest, teams: Teams) -> Iterator[ManifestFault]:
    access = manifest.product.access
    named: list[tuple[tuple[str | int, ...], str]] = [(("owner", "team"), manifest.product.owner.team)]
    for key in ("view", "run", "approve"):
        named += [(("access", key, index), name) for index, name in enumerate(getattr(access, key) or ())]
    for path, name in named:
        if name not in teams and not (path[0] == "access" and name == EVERYBODY):
            near = teams.near(name)
            tail = f"; did you mean {near}?" if near else ""
            yield manifest.fault(path, f"there is no team {name} in {teams.file}{tail}")


def _docs_faults(manifest: Manifest, root: Path) -> Iterator[ManifestFault]:
    docs = manifest.product.docs
    if docs and not docs.startswith("https://") and not (root / docs).is_file():
        yield manifest.fault(("docs",), f"there is no file {display(root / docs)}")


def _playbook_faults(manifest: Manifest, root: Path) -> Iterator[ManifestFault]:
    path = root / manifest.product.playbook
    if not path.is_file():
        yield manifest.fault(("playbook",), f"there is no playbook {display(path)}")
        return
    try:
        tree = parse_yaml(path.read_text(encoding="utf-8"), local_tags=True)
    except YamlError as error:
        yield ManifestFault(display(path), error.line, error.column, key_text(error.path), error.sentence)
        return
    except UnicodeDecodeError:
        yield ManifestFault(display(path), 1, 1, "", "is not UTF-8 text")
        return
    for place, sentence in _first_task_faults(tree, manifest.product.name):
        yield ManifestFault(display(path), *tree.place(place), key_text(place), sentence)


def _first_task_faults(tree: YamlTree, product: str) -> Iterator[tuple[tuple[str | int, ...], str]]:
    plays = tree.data
    if not isinstance(plays, list) or not plays or not isinstance(plays[0], dict):
        yield (), "must be a list of plays"
        return
    section = "pre_tasks" if plays[0].get("pre_tasks") else "tasks"
    tasks = plays[0].get(section)
    first = tasks[0] if isinstance(tasks, list) and tasks and isinstance(tasks[0], dict) else {}
    if VALIDATION not in first or (section == "tasks" and plays[0].get("roles")):
        yield (0,), f"the first play must begin with the task {VALIDATION}"
        return
    arguments: Any = first[VALIDATION]
    if not isinstance(arguments, dict) or arguments.get("product") != product:
        yield (0, section, 0, VALIDATION), f"must have product: {product}"
    if plays[0].get("gather_facts") is not False:
        yield (0,), "the first play must have gather_facts: false, so that no host is touched before the check"


def _unread_faults(manifest: Manifest, root: Path) -> Iterator[ManifestFault]:
    product = manifest.product
    playbook = root / product.playbook
    if not product.parameters or not playbook.is_file():
        return
    words = set(re.findall(r"[a-z_][a-z0-9_]*", "\n".join(_texts(playbook, root))))
    words.update(name for parameter in product.parameters for name in parameter.when or ())
    for index, parameter in enumerate(product.parameters):
        if parameter.name not in words:
            yield manifest.fault(("parameters", index, "name"), f"neither {product.playbook} nor its roles read it")


def _batch_faults(manifest: Manifest, root: Path) -> Iterator[ManifestFault]:
    guardrails, playbook = manifest.product.guardrails, root / manifest.product.playbook
    asked = [key for key in BATCH_KEYS if getattr(guardrails, key) is not None]
    if not asked or not playbook.is_file():
        return
    for key in unread_keys(playbook.read_text(encoding="utf-8", errors="replace"), asked):
        sentence = f"{manifest.product.playbook} does not act on it: it must use {variables_of(key)}"
        yield manifest.fault(("guardrails", key), sentence)


def _texts(playbook: Path, root: Path) -> Iterator[str]:
    """Yield the texts of a playbook, of those that it imports, and of all roles that they name."""
    waiting, seen = [playbook], set()
    while waiting:
        path = waiting.pop()
        if path in seen or not path.exists():
            continue
        seen.add(path)
        for file in _files(path):
            text = file.read_text(encoding="utf-8", errors="replace")
            yield text
            waiting += [root / "roles" / name for name in _ROLE.findall(text)]
            waiting += [root / "playbooks" / f"{name}.yml" for name in _PLAYBOOK.findall(text)]


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for file in sorted(path.rglob("*")):
        inside = set(file.relative_to(path).parts)
        if file.suffix in _READ_SUFFIXES and file.is_file() and not inside & _TEST_FOLDERS:
            yield file
