"""Where packages come from: what is refused, how old sources are taken over, and what apt's answers mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.role_content import ROOT, load_plugin

RULES = load_plugin("plugins/filter/packages.py")
MODULE = load_plugin("plugins/modules/apt_sources.py")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
KEY = (ROOT / "molecule" / "packages" / "files" / "key.asc").read_text(encoding="ascii")
REPOSITORY = {"name": "example", "uris": ["https://a.example.com/x"], "suites": ["stable"], "key": KEY}
SETTINGS: dict[str, dict[str, Any]] = {
    "names": {"packages_present": [], "packages_banned": [], "packages_held": []},
    "mirrors": {"packages_mirror": "", "packages_security_mirror": ""},
    "times": {"packages_upgrade_window": "Sun *-*-* 02:00", "packages_upgrade_delay": "1h 30min"},
}
PLACES = {"origins": ["origin=Debian,codename=${distro_codename}-security"], "folder": "/var/lib/metrics"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, ""),
        ({"key": "", "keyring": KEYRING}, ""),
        ({"suites": ["./"], "components": []}, ""),
        ({"name": "a b"}, "no word"),
        ({"uris": []}, "has no uris"),
        ({"uris": ["https://a b"]}, "among its uris"),
        ({"uris": ["ssh://a"]}, "among its uris"),
        ({"suites": ["stable\nTrusted: yes"]}, "among its suites"),
        ({"components": ["main "]}, "among its components"),
        ({"key": ""}, "has no key"),
        ({"keyring": KEYRING}, "both key and keyring"),
        ({"key": "", "keyring": "a.gpg"}, "no absolute path"),
        ({"key": KEY.replace("\n\n", "\n\nTypes: deb-src\n\\\n")}, "no ASCII-armored"),
        ({"key": "-----BEGIN PGP PRIVATE KEY BLOCK-----"}, "no ASCII-armored"),
    ],
)
def test_repositories(change: dict[str, Any], says: str) -> None:
    faults = RULES.packages_faults([{**REPOSITORY, **change}], {**SETTINGS, **PLACES})
    assert (len(faults) == 1 and says in faults[0]) if says else faults == []


@pytest.mark.parametrize(
    ("kind", "change", "says"),
    [
        ("names", {"packages_present": ["curl", "g++", "libc6.1"]}, ""),
        ("names", {"packages_held": ["a b"]}, "packages_held: 'a b'"),
        ("names", {"packages_banned": ["-o"]}, "packages_banned: '-o'"),
        ("names", {"packages_present": ["curl"], "packages_banned": ["curl"]}, "curl is in"),
        ("mirrors", {"packages_mirror": "mirror.example.com"}, "packages_mirror is 'mirror.example.com'"),
        ("times", {"packages_upgrade_window": "daily\nExecStart=x"}, "no time that systemd knows"),
    ],
)
def test_settings(kind: str, change: dict[str, Any], says: str) -> None:
    faults = RULES.packages_faults([], {**SETTINGS, **PLACES, kind: {**SETTINGS[kind], **change}})
    assert (len(faults) == 1 and says in faults[0]) if says else faults == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"origins": ['a=b"; };\nDPkg::Post-Invoke {"x'], "folder": "/m"}, "packages_upgrade_origins_extra"),
        ({"folder": "/m'; reboot; '"}, "packages_textfile_directory"),
        ({"folder": "metrics"}, "packages_textfile_directory"),
    ],
)
def test_what_goes_into_programs(change: dict[str, Any], says: str) -> None:
    (fault,) = RULES.packages_faults([], {**SETTINGS, **PLACES, **change})
    assert says in fault


def test_holds() -> None:
    state = RULES.packages_state(
        ["install installed a", "hold installed b", "hold not-installed c", "hold installed d"]
    )
    assert state == {"installed": ["a", "b", "d"], "held": ["b", "c", "d"]}
    assert RULES.packages_selections(["a", "b", "x"], state, exclusive=False) == [{"name": "a", "selection": "hold"}]
    assert RULES.packages_selections(["b", "c"], state, exclusive=True) == [{"name": "d", "selection": "install"}]


def test_an_old_list_is_taken_over() -> None:
    text = (
        "# deb http://off.example.com/debian x main\n"
        "deb http://m.example.com/debian bookworm main contrib # why\n"
        "deb [arch=amd64,arm64 signed-by=/k.gpg] https://x.example.com/apt ./\n"
        "deb-src http://m.example.com/debian bookworm main\n"
        "deb http://other.example.com/tools stable main\n"
    )
    found = MODULE.one_line_stanzas(text, KEYRING)
    assert "".join(map(MODULE.as_text, found[:2])) == (
        "Types: deb\nURIs: http://m.example.com/debian\nSuites: bookworm\nComponents: main contrib\n"
        f"Signed-By: {KEYRING}\n"
        "Types: deb\nURIs: https://x.example.com/apt\nSuites: ./\nArchitectures: amd64 arm64\nSigned-By: /k.gpg\n"
    )
    assert found[2]["types"] == "deb-src"
    assert "signed-by" not in found[3]


def test_the_disk_of_the_installer_is_no_source(tmp_path: Path) -> None:
    disk = "deb cdrom:[Debian GNU/Linux 12.9.0 _Bookworm_ - Official amd64 DVD]/ bookworm contrib main\n"
    assert MODULE.one_line_stanzas(disk, KEYRING) == []
    params = {"etc": str(tmp_path), "files": {}, "distribution": "debian.sources", "keyring": KEYRING}
    (tmp_path / "sources.list").write_text(disk + "deb http://a/debian bookworm main\n", encoding="utf-8")
    files, retired = MODULE.wanted_files(params)
    assert files["debian.sources"].startswith("Types: deb\nURIs: http://a/debian\n")
    assert retired
    # Whoever gives a mirror wants no disk beside it.
    (tmp_path / "sources.list").write_text(disk, encoding="utf-8")
    assert MODULE.wanted_files({**params, "files": {"debian.sources": "x"}}) == ({"debian.sources": "x"}, True)


def test_stanzas_are_read_as_apt_reads_them() -> None:
    first = "Types: deb\nuris: http://a/debian\nSuites: x\n y\nSigned-By:\n -----BEGIN\n .\n"
    text = f"# first\n{first}\n\nEnabled: no\nTypes: deb\n"
    (only,) = MODULE.stanzas(text)
    assert only["uris"] == "http://a/debian"
    assert only["suites"].split() == ["x", "y"]
    assert only["signed-by"] == "\n-----BEGIN\n."


def deb822(suites: str, keyring: str = KEYRING, uri: str = "http://a/debian") -> Any:
    return MODULE.stanzas(f"Types: deb\nURIs: {uri}\nSuites: {suites}\nComponents: main\nSigned-By: {keyring}\n")


def test_only_what_is_new_is_tried() -> None:
    have = MODULE.indices(deb822("x y"), KEYRING)
    assert MODULE.indices(deb822("y"), KEYRING) <= have
    assert MODULE.indices(deb822("y", uri="http://a/debian/"), KEYRING) <= have
    assert not MODULE.indices(deb822("z"), KEYRING) <= have
    assert not MODULE.indices(deb822("x", keyring="/other.gpg"), KEYRING) <= have
    assert not MODULE.indices(deb822("x", uri="http://b/debian"), KEYRING) <= have


words = st.text(alphabet="abcxyz0-", min_size=1, max_size=8)


@given(st.lists(st.tuples(words, words, st.lists(words, min_size=1, max_size=3)), max_size=4))
def test_what_is_taken_over_means_the_same(entries: list[tuple[str, str, list[str]]]) -> None:
    lines = [f"deb http://{host}/debian {suite} {' '.join(components)}\n" for host, suite, components in entries]
    found = MODULE.one_line_stanzas("".join(lines), KEYRING)
    again = MODULE.stanzas("\n".join(map(MODULE.as_text, found)))
    assert MODULE.indices(again, KEYRING) == MODULE.indices(found, KEYRING)
    assert len(found) == len(entries)


@pytest.mark.parametrize(
    ("output", "says"),
    [
        (
            "Err:2 http://m/debian bookworm Release\n  404  Not Found [IP: 10.0.0.1 80]\nE: The repository 'x'\n",
            "http://m/debian answers 404 Not Found for bookworm Release",
        ),
        ("Get:1 x\nE: a\nE: a\nE: b\nE: c\n", "a; b"),
        ("W: GPG error: x\n", "GPG error: x"),
        ("", "it gave no reason"),
    ],
)
def test_what_apt_says_becomes_one_line(output: str, says: str) -> None:
    assert MODULE.complaint(output) == says


def test_a_list_that_was_taken_over_stays_with_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text("deb http://a/debian x main\ndeb http://a/debian y main\n", encoding="utf-8")
    present = f"Types: deb\nURIs: http://a/debian\nSuites: x\nComponents: main\nSigned-By: {KEYRING}\n"
    (tmp_path / "sources.list.d" / "debian.sources").write_text(present, encoding="utf-8")
    params = {"files": {}, "distribution": "debian.sources", "keyring": KEYRING, "etc": str(tmp_path)}
    files, taken = MODULE.wanted_files(params)
    assert taken is True
    assert files == {"debian.sources": present + "\n" + present.replace("Suites: x", "Suites: y")}
    assert MODULE.wanted_files({**params, "files": {"debian.sources": "own"}})[0] == {"debian.sources": "own"}
