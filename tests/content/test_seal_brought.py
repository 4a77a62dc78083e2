"""What updates brought to a host, told from what somebody did to it before, meanwhile and afterwards."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from content.role_content import load_plugin

SEAL = load_plugin("plugins/modules/seal.py")
BROUGHT = sys.modules[SEAL.Brought.__module__]
CHANGE = load_plugin("plugins/modules/host_change.py")


@dataclass
class Host:
    """A made-up host whose dpkg knows one package, x, in version 2, with the files that it is given."""

    folder: Path

    def __post_init__(self) -> None:
        self.info = self.folder / "info"
        self.info.mkdir()

    def file(self, name: str, text: str = "x") -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    def packages(self, *files: str, configuration: str = "") -> Any:
        digest = hashlib.md5(b"x", usedforsecurity=False).hexdigest()
        (self.info / "x:amd64.list").write_text("".join(f"{path}\n" for path in files), encoding="utf-8")
        sums = "".join(
            f"{digest}  {path[1:]}\n" for path in files if path != configuration and not Path(path).is_symlink()
        )
        (self.info / "x:amd64.md5sums").write_text(sums, encoding="utf-8")
        stanzas = ["Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n"]
        stanzas.append("Package: x\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2\n")
        stanzas[1] += f"Conffiles:\n {configuration} {digest}\n" if configuration else ""
        status = self.file("status", "\n".join(stanzas))
        return SEAL.Packages(status, str(self.info))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def moments(*paths: str) -> tuple[int, int]:
    times = [os.lstat(path).st_ctime for path in paths]
    return int(min(times)), int(max(times)) + 1


def test_files_are_an_updates_only_as_it_brought_them_and_untouched_since(host: Host) -> None:
    program, edited, setting, other = (host.file(name) for name in ("program", "edited", "setting", "other"))
    Path(edited).write_text("y", encoding="utf-8")
    link = str(host.folder / "link")
    Path(link).symlink_to(program)
    packages = host.packages(program, edited, setting, link, configuration=setting)
    start, end = moments(program, edited, setting, link)
    paths = [program, edited, setting, link, other, "/nowhere"]
    for name in ("x", "x:amd64"):
        found = BROUGHT.Brought(packages, {name: ["2", start, end]}).files(paths)
        assert found == {program: ["x", "all"], setting: ["x", "content"], link: ["x", "all"]}
    beside = host.file("setting.dpkg-dist")
    other_version = host.file("edited.dpkg-dist")
    moment = BROUGHT.Brought(packages, {"x": ["2", *moments(beside)]})
    assert moment.files([beside, other_version, "/nowhere.dpkg-dist"]) == {beside: ["x", "all"]}
    for version, first, last in (("1", start, end), ("2", end + 10, end + 20), ("2", start - 20, start - 10)):
        assert BROUGHT.Brought(packages, {"x": [version, first, last]}).files(paths) == {}


def test_units_that_a_package_has_started_at_boot(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BROUGHT, "_UNITS", f"{host.folder}/etc/")
    monkeypatch.setattr(BROUGHT, "_ENABLED_BY_PACKAGES", f"{host.folder}/helper/")
    unit, links = host.file("x.service"), {}
    for name in ("asked.service", "mine.service"):
        links[name] = f"{host.folder}/etc/{name}"
        Path(links[name]).parent.mkdir(exist_ok=True)
        Path(links[name]).symlink_to(unit)
    host.file("helper/asked.service", "")
    shipped = links["shipped.service"] = str(host.folder / "shipped")
    Path(shipped).symlink_to(unit)
    packages = host.packages(unit, shipped)
    start, end = moments(*links.values())
    found = BROUGHT.Brought(packages, {"x": ["2", start, end]}).units(links)
    assert found == {"asked.service": ["x", "all"], "shipped.service": ["x", "all"]}
    assert BROUGHT.Brought(packages, {"x": ["2", end + 10, end + 20]}).units(links) == {}


def test_alternatives_that_nobody_chose(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BROUGHT, "_ALTERNATIVES", f"{host.folder}/known/")
    program, links = host.file("program"), {}
    for name, mode in (("editor", "auto"), ("pager", "manual")):
        host.file(f"known/{name}", f"{mode}\n/usr/bin/{name}\n")
        links[str(host.folder / name)] = program
        (host.folder / name).symlink_to(program)
    start, end = moments(*links)
    found = BROUGHT.Brought(host.packages(program), {"x": ["2", start, end]}).alternatives(links)
    assert found == {str(host.folder / "editor"): ["x", "all"]}


def test_the_list_of_authorities_is_a_packages_only_without_anybodys_choice(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = f"{host.folder}/authorities/"
    monkeypatch.setattr(BROUGHT, "_AUTHORITIES", folder)
    one, two = (host.file(f"authorities/{name}.crt") for name in ("a/one", "two"))
    chosen = host.file("chosen", "# x\na/one.crt\ntwo.crt\n")
    monkeypatch.setattr(BROUGHT, "_CHOSEN_AUTHORITIES", chosen)
    packages = host.packages(one, two)
    (host.info / "ca-certificates.list").write_text(f"{one}\n{two}\n", encoding="utf-8")
    packages.owners[chosen] = "x"
    brought = BROUGHT.Brought(packages, {"x": ["2", *moments(chosen)]})
    assert brought.files([chosen]) == {chosen: ["x", "all"]}
    for text in ("a/one.crt\n!two.crt\n", "a/one.crt\n", "a/one.crt\ntwo.crt\nmine.crt\n"):
        Path(chosen).write_text(text, encoding="utf-8")
        assert brought.files([chosen]) == {}


def test_authorities_and_rules_that_are_not_as_packages_brought_them(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        BROUGHT, "_MANY", (f"{host.folder}/authorities/*.crt", f"{host.folder}/*/*/*.crt", f"{host.folder}/rules*")
    )
    own, changed, new = (host.file(f"authorities/{name}.crt") for name in ("a/own", "a/changed", "new"))
    rules, more = host.file("rules"), host.file("rules-more")
    packages = host.packages(configuration=rules)
    digest = hashlib.md5(b"x", usedforsecurity=False).hexdigest()
    sums = "".join(f"{digest}  {path[1:]}\n" for path in (own, changed))
    (host.info / "ca-certificates.md5sums").write_text(sums, encoding="utf-8")
    Path(changed).write_text("y", encoding="utf-8")
    assert BROUGHT.unlike_packages(packages) == sorted([changed, new, more])


def test_packages_whose_files_were_put_in_place_since(host: Host) -> None:
    packages = host.packages()
    (host.info / "dpkg.list").touch()
    os.utime(host.info / "dpkg.list", (100, 100))
    assert (packages.replaced(0), packages.replaced(50), packages.replaced(101)) == ([], ["dpkg", "x"], ["x"])


def test_files_that_packages_list(tmp_path: Path) -> None:
    (tmp_path / "a.list").write_text("/.\n/one\n", encoding="utf-8")
    (tmp_path / "b:i386.list").write_text("/two\n", encoding="utf-8")
    assert CHANGE.files_of(["a", "b", "b:i386", "gone"], str(tmp_path)) == {"/.", "/one", "/two"}
