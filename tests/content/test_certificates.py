"""The modules that make certificates, with the real openssl, as Ansible starts them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from content.role_content import ROOT

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the files belong to root")
NAMES = ["DNS:web1", "IP:192.0.2.11", "IP:2001:db8::1"]


class Place:
    """An authority and a host, each in a folder."""

    def __init__(self, folder: Path) -> None:
        self.ca, self.tls = folder / "ca", folder / "etc" / "tls"
        self.ca_days = 3650

    def run(self, module: str, **arguments: Any) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, str(ROOT / "plugins" / "modules" / f"{module}.py")],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
            env={**os.environ, "PYTHONPATH": str(ROOT / "collections"), "PYTHONWARNINGS": "ignore"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def authority(self, **arguments: Any) -> dict[str, Any]:
        arguments = {"path": str(self.ca), "days": self.ca_days, **arguments}
        return self.run("certificate_authority", **arguments)

    def host(self, **arguments: Any) -> dict[str, Any]:
        arguments = {"path": str(self.tls), "group": "root", "subject": "web1", "names": NAMES, **arguments}
        return self.run("host_certificate", **arguments)

    def enrol(self, **arguments: Any) -> dict[str, Any]:
        """Do what the role does; return what the host answered first."""
        looked = self.authority()
        asked = self.host(authority=looked["certificate"], **arguments)
        if asked.get("request"):
            signed = self.authority(create=True, request=asked["request"], subject="web1", names=NAMES)
            assert "failed" not in signed, signed
            done = self.host(certificate=signed["signed"], authority=signed["certificate"])
            assert "failed" not in done, done
        return asked

    def text(self, *arguments: str) -> str:
        return openssl("x509", "-noout", "-in", str(self.tls / "host.pem"), *arguments)


def openssl(*arguments: str) -> str:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True).stdout


def expire(authority: Path) -> None:
    """Replace the authority's certificate by one that ended yesterday."""
    key = load_pem_private_key((authority / "ca.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Bedplate CA")])
    now, day = datetime.now(UTC), timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - 9 * day, now - day)
    builder = builder.add_extension(x509.BasicConstraints(True, 0), critical=True)
    (authority / "ca.pem").write_bytes(builder.sign(key, SHA256()).public_bytes(Encoding.PEM))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_host_gets_a_certificate_once(place: Place) -> None:
    assert place.authority() == {**place.authority(), "exists": False, "changed": False}
    assert not place.ca.exists()
    assert place.enrol()["reasons"] == ["the host has no certificate yet"]
    again = place.enrol()
    assert (again["changed"], again["reasons"], again["request"]) == (False, [], "")
    said = place.text("-subject", "-ext", "subjectAltName,extendedKeyUsage,basicConstraints")
    assert "CN = web1" in said.replace("CN=", "CN = ")
    assert "TLS Web Server Authentication, TLS Web Client Authentication" in said
    assert "CA:FALSE" in said
    openssl("verify", "-x509_strict", "-CAfile", str(place.tls / "ca.pem"), str(place.tls / "host.pem"))
    modes = {path.name: path.stat().st_mode & 0o7777 for path in (*place.ca.iterdir(), *place.tls.iterdir())}
    assert modes["ca.key"] == 0o600
    assert modes["host.key"] == 0o640
    assert "host.key.new" not in modes


def test_nobody_else_may_put_anything_beside_the_certificate(place: Place) -> None:
    place.enrol()
    place.tls.chmod(0o777)
    trusted = place.authority()["certificate"]
    assert place.host(authority=trusted, _ansible_check_mode=True)["changed"] is True
    assert place.tls.stat().st_mode & 0o7777 == 0o777
    assert place.host(authority=trusted)["changed"] is True
    assert place.tls.stat().st_mode & 0o7777 == 0o755
    assert place.host(authority=trusted)["changed"] is False


def test_nothing_is_written_in_check_mode(place: Place) -> None:
    answer = place.host(authority="", _ansible_check_mode=True)
    assert (answer["changed"], answer["request"]) == (True, "")
    assert place.authority(create=True, _ansible_check_mode=True)["changed"] is True
    assert not place.tls.parent.exists()
    assert not place.ca.exists()


def test_the_names_are_those_of_the_authority_and_not_of_the_request(place: Place, tmp_path: Path) -> None:
    key, request = tmp_path / "k", tmp_path / "r"
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(key))
    wished = ("-subj", "/CN=evil", "-addext", "subjectAltName=DNS:evil", "-addext", "basicConstraints=CA:TRUE")
    openssl("req", "-new", "-key", str(key), *wished, "-out", str(request))
    signed = place.authority(create=True, request=request.read_text(), subject="web1", names=["DNS:web1"])["signed"]
    file = tmp_path / "signed"
    file.write_text(signed, encoding="utf-8")
    assert "evil" not in openssl("x509", "-noout", "-text", "-in", str(file))
    assert "CA:TRUE" not in openssl("x509", "-noout", "-text", "-in", str(file))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"names": [*NAMES, "DNS:web2"]}, "its names are"),
        ({"renew_days": 400}, "it ends on"),
    ],
)
def test_a_certificate_is_renewed_with_a_new_key(place: Place, arguments: dict[str, Any], reason: str) -> None:
    place.enrol()
    key = (place.tls / "host.key").read_text(encoding="utf-8")
    answer = place.enrol(**arguments)
    assert answer["reasons"][0].startswith(reason)
    assert (place.tls / "host.key").read_text(encoding="utf-8") != key
    assert place.enrol()["reasons"] == []


def test_a_certificate_of_another_authority_is_renewed(place: Place) -> None:
    place.enrol()
    place.ca = place.ca.parent / "other"
    place.authority(create=True)
    assert "verify failed" in place.enrol()["reasons"][0]
    assert place.enrol()["reasons"] == []


def test_a_host_goes_on_while_nobody_can_be_asked(place: Place) -> None:
    place.enrol()
    assert place.host()["reasons"] == []


def test_an_authority_near_its_end_is_renewed_and_what_it_signed_stays_valid(place: Place) -> None:
    place.ca_days = 100
    place.enrol()
    before = (place.ca / "ca.pem").read_text(encoding="utf-8")
    place.ca_days = 3650
    assert place.authority()["certificate"] != before
    openssl("verify", "-CAfile", str(place.ca / "ca.pem"), str(place.tls / "host.pem"))


def test_an_expired_authority_is_one_clear_sentence(place: Place) -> None:
    place.authority(create=True)
    expire(place.ca)
    said = place.authority()["msg"]
    assert said.startswith(f"the certificate authority {place.ca}/ca.pem expired on 20")
    assert said.endswith("remove that file, and the next run makes a new certificate with the same key")
    (place.ca / "ca.pem").unlink()
    assert place.enrol()["reasons"] == ["the host has no certificate yet"]


def test_a_given_authority_is_taken_and_must_fit_its_key(place: Place, tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    for folder in (own, other):
        place.ca = folder
        place.authority(create=True, name=folder.name)
    pair = {"certificate": (own / "ca.pem").read_text(), "key": (own / "ca.key").read_text()}
    place.ca = tmp_path / "given"
    wrong = place.authority(certificate=pair["certificate"], key=(other / "ca.key").read_text())
    assert wrong["msg"] == "the given certificate of the authority does not belong to the given key"
    assert place.authority(**pair)["changed"] is True
    assert place.authority(**pair)["changed"] is False
    assert place.authority()["certificate"].strip() == pair["certificate"].strip()
    assert "PRIVATE" not in json.dumps({**place.authority(**pair), "invocation": None})


def test_a_certificate_that_was_issued_elsewhere_is_installed(place: Place, tmp_path: Path) -> None:
    elsewhere = Place(tmp_path / "elsewhere")
    elsewhere.enrol()
    files = {name: (elsewhere.tls / name).read_text(encoding="utf-8") for name in ("host.pem", "host.key", "ca.pem")}
    given = {"certificate": files["host.pem"], "authority": files["ca.pem"], "key": files["host.key"]}
    wrong = place.host(**{**given, "key": (elsewhere.ca / "ca.key").read_text(encoding="utf-8")})
    assert wrong["msg"] == "the certificate of web1 does not belong to its key"
    assert place.host(**given)["changed"] is True
    assert place.host(**given)["changed"] is False
